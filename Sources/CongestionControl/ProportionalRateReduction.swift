// SPDX-License-Identifier: Apache-2.0

/// How much a sender may send for each acknowledgment while it recovers from a loss: RFC 9937, which replaces RFC 6937. It
/// brings what is in flight down to the threshold by the end of the recovery, without a pause and without a burst.
///
///     begin:    begin(inFlight, ...)           when a loss is found, once
///     each ACK: allowance = acknowledged(...)  how many bytes may be sent now
///     sending:  sent(bytes)                    of anything, retransmitted or new
public struct ProportionalRateReduction: Hashable, Sendable, BitwiseCopyable {
  /// prr_delivered, prr_out and RecoverFS, in bytes.
  private var delivered: UInt32 = 0
  private var out: UInt32 = 0
  private var recoverFlightSize: UInt32 = 1

  public init() {}

  /// A recovery begins (section 6.1). `inFlight`: what could be delivered during it, newest acknowledgment included: SND.NXT
  /// - SND.UNA as of before this acknowledgment, less what had been selectively acknowledged before it.
  public mutating func begin(inFlight: Int) {
    delivered = 0
    out = 0
    recoverFlightSize = UInt32(clamping: max(inFlight, 1))
  }

  /// An acknowledgment came (section 6.2). Returns how many bytes may be sent in response (sndcnt).
  ///
  /// - Parameters:
  ///   - delivered: DeliveredData: newly acknowledged, cumulatively or selectively.
  ///   - inFlight: the estimate of what is in the network (pipe), after this acknowledgment.
  ///   - threshold: `CongestionControl.slowStartThreshold`.
  ///   - isSafe: SafeACK: the cumulative acknowledgment moved on, and no further loss came to light.
  public mutating func acknowledged(
    delivered bytes: Int, inFlight: Int, threshold: Int, segmentSize: Int, isSafe: Bool
  ) -> Int {
    let bytes = Int(UInt32(clamping: bytes))
    let inFlight = max(inFlight, 0)
    delivered = UInt32(clamping: Int(delivered) + bytes)
    var allowance: Int
    if inFlight > threshold {
      let share = (Int(delivered) * max(threshold, 0) + Int(recoverFlightSize) - 1) / Int(recoverFlightSize)
      // Up to whole segments: nobody sends less, and what is too much now is missing from the next share.
      let size = max(segmentSize, 1)
      allowance = (share + size - 1) / size * size - Int(out)
    } else {
      allowance = max(Int(delivered) - Int(out), bytes)
      if isSafe { allowance += segmentSize }
      allowance = min(threshold - inFlight, allowance)
    }
    allowance = max(allowance, 0)
    // The first retransmission is not held back.
    return out == 0 && allowance == 0 ? segmentSize : allowance
  }

  /// Bytes that were said to be sent were not.
  public mutating func returned(bytes: Int) {
    out = UInt32(clamping: Int(out) - max(bytes, 0))
  }

  /// Bytes were sent during the recovery.
  public mutating func sent(bytes: Int) {
    out = UInt32(clamping: Int(out) + max(bytes, 0))
  }
}
