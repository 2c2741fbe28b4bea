// SPDX-License-Identifier: Apache-2.0

import LargeSend
import Memory
import Packets
import Wire

/// Says to the guest's module how large a TCP packet it may hand over, and hears what it has made of that (R61, R67).
///
/// Nothing is held against who hands over more: all is split to what the uplink takes. So a smaller size is announced before anything that keeps to it comes,
/// and nothing is lost when it falls (danger 41). At most one message waits, whatever the guest asks and however often.
final class FirstSizeAnnouncer {
  private(set) var setting: LargeSendSetting
  /// What the guest is told.
  private(set) var sizes = FirstSizes.ordinary
  /// What it has said that it goes by; nil: nothing yet.
  private(set) var taken: FirstSizes?
  /// How many times what the uplink takes in one piece the sizes are.
  private(set) var multiple = 1
  /// Finds the multiple, if it is not said.
  private(set) var tuner: FirstSizeTuner?
  /// Of the guest's module; nil: it has not asked.
  private var nonce: UInt64?
  /// A message waits for the guest.
  private(set) var isDue = false
  /// The administrator has said something; else all that is asked passes like any other frame.
  private var hasSpoken: Bool
  private var limits = EgressLimits.ordinary
  private var mtu = 1500

  private let region = ByteRegion.allocate(count: VirtioNetHeader.length + FirstSizeMessage.length)

  init(_ setting: LargeSendSetting) {
    self.setting = setting
    hasSpoken = setting != .off
    tuner = Self.tuner(setting, FirstSizes.mostMultiple(limits: limits, mtu: mtu), present: nil)
  }

  deinit { region.deallocate() }

  /// The administrator says something else. True if the sizes are others now.
  func set(_ setting: LargeSendSetting) -> Bool {
    let present = self.setting == .off ? nil : multiple
    self.setting = setting
    tuner = Self.tuner(setting, mostMultiple, present: present)
    if setting != .off { hasSpoken = true }
    return fit(limits, mtu: mtu)
  }

  /// What the uplink takes in one piece. True if the sizes are others now.
  func fit(_ limits: EgressLimits, mtu: Int) -> Bool {
    self.limits = limits
    self.mtu = mtu
    let before = sizes
    switch setting {
    case .off: (multiple, sizes) = (1, .ordinary)
    case .size(let size):
      multiple = FirstSizes.multiple(within: size, limits: limits, mtu: mtu)
      sizes = FirstSizes(multiple: multiple, limits: limits, mtu: mtu)
    case .tuned:
      tuner?.limit(most: mostMultiple)
      multiple = tuner?.multiple ?? 1
      sizes = FirstSizes(multiple: multiple, limits: limits, mtu: mtu)
    }
    guard sizes != before else { return false }
    announce()
    return true
  }

  /// What was seen while the guest went by the sizes. Returns what was found out, if a trial has ended.
  func note(_ period: FirstSizeMeasurement) -> FirstSizeVerdict? {
    let verdict = tuner?.note(period)
    _ = fit(limits, mtu: mtu)
    return verdict
  }

  /// Whether the guest's module has said that it goes by what it was told.
  var isTaken: Bool { !isDue && taken == sizes }

  private var mostMultiple: Int { FirstSizes.mostMultiple(limits: limits, mtu: mtu) }

  private static func tuner(_ setting: LargeSendSetting, _ most: Int, present: Int?) -> FirstSizeTuner? {
    guard case .tuned(let objective) = setting else { return nil }
    return FirstSizeTuner(objective: objective, most: most, present: present)
  }

  /// A guest may be there that we don't know, or one that has another NIC's sizes.
  func guestCame() {
    nonce = nil
    taken = nil
    tuner?.giveUpTrial()
    _ = fit(limits, mtu: mtu)
    announce()
  }

  private func announce() { isDue = hasSpoken }

  /// A frame of the guest's of this EtherType. True if it was for us, and is not to go on.
  func take(_ head: ByteRegion) -> Bool {
    guard hasSpoken, let message = FirstSizeMessage(decoding: head) else { return false }
    switch message.kind {
    case .question:
      nonce = message.nonce
      taken = message.sizes
      isDue = true
    case .report:
      if message.nonce == nonce { taken = message.sizes }
    // What only we say.
    case .announcement, .invitation: break
    }
    return true
  }

  /// The message that waits, behind a virtio header; stays as it is until this is called again.
  func next() -> ByteRegion? {
    guard isDue else { return nil }
    isDue = false
    VirtioNetHeader().encode(into: region)
    let message = FirstSizeMessage(kind: nonce == nil ? .invitation : .announcement, nonce: nonce ?? 0, sizes: sizes)
    message.encode(into: region.suffix(from: VirtioNetHeader.length))
    return region
  }
}
