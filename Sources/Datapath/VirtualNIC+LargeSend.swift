// SPDX-License-Identifier: Apache-2.0

public import LargeSend
import Polling
import Uplinks

/// How large a packet the guest may hand over: an administrator's word, and what became of it.
extension VirtualNIC {
  /// Says it anew, while the NIC runs. Between two turns.
  public func setLargeSend(_ setting: LargeSendSetting) {
    if announcer.set(setting) { tellFirstSize() }
  }

  public var largeSend: LargeSendSetting { announcer.setting }
  /// What the guest is told.
  public var firstSizes: FirstSizes { announcer.sizes }
  /// What the guest's module has said that it goes by; nil: it has said nothing.
  public var firstSizesTaken: FirstSizes? { announcer.taken }

  func tellFirstSize() {
    let sizes = announcer.sizes
    log.info(
      "large sends (\(announcer.setting)): the guest may hand over \(sizes.ipv4) bytes (IPv4), \(sizes.ipv6) (IPv6), "
        + "\(announcer.multiple) times what \(uplink.name) takes in one piece")
  }
}
