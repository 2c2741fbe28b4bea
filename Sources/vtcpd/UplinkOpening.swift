// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
import HostService
import HostSystem
import Polling
import Uplinks

/// Opens the uplink of a NIC, which then needs no privilege for it.
enum UplinkOpening {
  /// The uplink as the NIC is to call it, and what it is handed.
  struct Opened {
    let text: String
    let descriptors: [OwnedDescriptor]
  }

  /// What the settings, or the template, say.
  static func text(
    _ name: NICName, _ settings: NICSettings, _ configuration: ServiceConfiguration
  ) throws(ServiceError) -> String {
    guard let text = settings.uplink ?? configuration.uplink?.uplink(for: name) else {
      throw ServiceError(
        .mistaken,
        "NIC \(name) has no uplink: give it one (tap:NAME, packet:NAME or null), or set uplink.default in vtcpd.yaml")
    }
    return text
  }

  /// Opens it, and has a TAP join its bridge.
  static func open(
    _ name: NICName, _ settings: NICSettings, _ configuration: ServiceConfiguration
  ) throws(ServiceError) -> Opened {
    let text = try text(name, settings, configuration)
    let descriptors: [OwnedDescriptor]
    do throws(UplinkError) {
      let uplink = try Uplink.open(
        try UplinkSpecification(parsing: text), queuePairs: settings.queuePairs ?? configuration.queuePairs,
        mtu: settings.mtu ?? configuration.mtu)
      descriptors = uplink.descriptors
    } catch {
      throw ServiceError(.conflict, "NIC \(name), uplink \(text): \(error)")
    }
    if text.hasPrefix("tap:"), let bridge = settings.bridge ?? configuration.bridge {
      do throws(SystemError) {
        try HostNetwork.join(String(text.dropFirst(4)), to: bridge)
      } catch {
        throw ServiceError(.conflict, "NIC \(name), uplink \(text): \(error); is there such a bridge?")
      }
    }
    return Opened(text: text, descriptors: descriptors)
  }
}
