// SPDX-License-Identifier: Apache-2.0

public import LargeSend
import Polling
public import Timekeeping
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
  /// How many times what the uplink takes in one piece that is.
  public var firstSizeMultiple: Int { announcer.multiple }
  /// What the guest's module has said that it goes by; nil: it has said nothing.
  public var firstSizesTaken: FirstSizes? { announcer.taken }

  /// Whether the size is to be found, so that `tuneLargeSends` is to be called.
  public var tunesLargeSends: Bool { announcer.tuner != nil }
  /// How often.
  public static let tuningInterval = Interval.milliseconds(250)

  /// Looks at what the guest's large packets have cost since it was last called.
  ///
  /// - Parameter processorTime: of the thread that serves the NIC.
  public func tuneLargeSends(now: Instant, processorTime: Interval) {
    let reading = LargeSendReading(
      now: now, processorTime: processorTime, bytes: transmitPath.bulkBytes, packets: transmitPath.bulkFrames,
      blockedTime: blockedTime)
    // A period counts if the guest went by the same size in all of it.
    let start = tuningStart
    let before = announcer.sizes
    tuningStart = announcer.isTaken ? reading : nil
    guard let start, announcer.isTaken, let verdict = announcer.note(reading.since(start)) else {
      if announcer.sizes != before { tuningStart = nil }
      return
    }
    tuningStart = nil
    log.info("large sends (\(announcer.setting)): \(verdict)")
    if announcer.sizes != before { tellFirstSize() }
  }

  func tellFirstSize() {
    let sizes = announcer.sizes
    log.info(
      "large sends (\(announcer.setting)): the guest may hand over \(sizes.ipv4) bytes (IPv4), \(sizes.ipv6) (IPv6), "
        + "\(announcer.multiple) times what \(uplink.name) takes in one piece")
  }
}
