// SPDX-License-Identifier: Apache-2.0

import DomainXML

/// XML of domains.
enum Samples {
  static let uuid = "5b1e8c1a-3d5e-4f60-9c3b-0a1b2c3d4e5f"

  /// A domain with these devices and metadata.
  static func domain(
    interfaces: String = "", metadata: String = "", backing: String = "<access mode='shared'/>", more: String = ""
  ) -> String {
    """
    <domain type='kvm' id='3' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
      <name>web1</name>
      <uuid>\(uuid)</uuid>
      <metadata>\(metadata)</metadata>
      <memoryBacking><source type='memfd'/>\(backing)</memoryBacking>
      <devices><emulator>/usr/bin/qemu-system-x86_64</emulator>\(interfaces)</devices>
      \(more)
    </domain>
    """
  }

  static func interface(mac: String = "52:54:00:00:00:01", path: String = "/run/vtcp/web1-0.sock", more: String = "")
    -> String
  {
    """
    <interface type='vhostuser'><mac address='\(mac)'/><source type='unix' path='\(path)' mode='client'/>\(more)</interface>
    """
  }

  static func policy(_ attributes: String, _ content: String = "") -> String {
    "<v:policy xmlns:v='https://vtcp.example/libvirt/1' \(attributes)>\(content)</v:policy>"
  }

  static func read(_ text: String) throws(DomainMistake) -> DomainReading {
    try DomainReading(parsing: Array(text.utf8))
  }

  /// What is wrong with it, however badly.
  static func mistakes(_ text: String) -> [String] { mistakes(Array(text.utf8)) }

  static func mistakes(_ octets: [UInt8]) -> [String] {
    do throws(DomainMistake) { return try DomainReading(parsing: octets).mistakes.map(\.description) } catch {
      return [error.description]
    }
  }
}
