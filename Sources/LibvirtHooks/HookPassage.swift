// SPDX-License-Identifier: Apache-2.0

public import DomainXML

/// Whether a call has to do with us, said by the XML alone: so that domains without a NIC of ours start when vtcpd does not run.
public enum HookPassage: Equatable, Sendable {
  /// No interface of it is ours.
  case passes
  /// vtcpd has to be asked.
  case asks
  /// It can't be read, and seems to be about us.
  case unreadable(DomainMistake)

  /// - Parameter folder: of the sockets of our NICs.
  public init(_ octets: [UInt8], folder: String) {
    do throws(DomainMistake) {
      let domain = try DomainReading(parsing: octets).domain
      self = domain.interfaces(in: folder).isEmpty ? .passes : .asks
    } catch {
      // libvirt makes XML that can be read, so it is its size. Who has no such interface shall not suffer from it.
      self = Self.contains(octets, "vhostuser") && Self.contains(octets, folder) ? .unreadable(error) : .passes
    }
  }

  private static func contains(_ octets: [UInt8], _ text: String) -> Bool {
    let word = Array(text.utf8)
    guard let first = word.first, octets.count >= word.count else { return false }
    return (0...octets.count - word.count).contains { start in
      octets[start] == first && octets[start..<start + word.count].elementsEqual(word)
    }
  }
}
