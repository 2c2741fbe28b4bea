// SPDX-License-Identifier: Apache-2.0

public import Memory
import Wire

/// Completing a checksum that the sender left partial (VIRTIO_NET_HDR_F_NEEDS_CSUM, virtio 1.3 §5.1.6.2).
public enum ChecksumCompletion {
  /// Writes the checksum that `request` names into `frame`.
  ///
  /// The field already holds the sum of the pseudo-header, so the sum runs from `checksumStart`, field included, to the
  /// end of the frame. Padding behind the packet is zero and adds nothing. A sender that put something else into the
  /// field gets what it asked for: a wrong checksum in its own packet.
  ///
  /// For UDP, which is told by where its field is, a checksum of zero is written as all ones (RFC 768).
  /// - Parameter frame: the private copy of the whole frame that `request` was checked against.
  /// - Returns: false, and nothing was written, where `frame` is not of the length that was checked.
  public static func complete(_ frame: ByteRegion, _ request: OffloadRequest) -> Bool {
    guard request.kind != .none else { return true }
    guard frame.count == request.frameLength else { return false }
    let start = Int(request.checksumStart)
    var sum = InternetChecksum()
    sum.add(frame.suffix(from: start))
    let isDatagram = Int(request.checksumOffset) == UDPField.checksum
    frame.storeNetworkOrder(isDatagram ? sum.datagramChecksum : sum.checksum, at: start + Int(request.checksumOffset))
    return true
  }
}
