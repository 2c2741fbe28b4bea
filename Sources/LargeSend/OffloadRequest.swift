// SPDX-License-Identifier: Apache-2.0

public import Wire

/// A request for offload that fits its frame. Only `OffloadCheck` makes one.
public struct OffloadRequest: BitwiseCopyable, Equatable, Sendable {
  /// What is asked for.
  public enum Kind: UInt8, BitwiseCopyable, Sendable {
    case none
    /// The checksum at `checksumStart` is to be completed.
    case checksum
    /// The TCP segment is to be cut into segments, each with its checksum.
    case tcpSegmentation
    /// The payload is to be cut into UDP datagrams, each with its checksum.
    case udpSegmentation
  }

  public let kind: Kind
  /// Where the summing of the checksum starts, from the start of the frame. Only if `kind` is not `none`.
  public let checksumStart: UInt16
  /// Where the checksum field is, from `checksumStart`; it lies wholly inside the frame.
  public let checksumOffset: UInt16
  /// Bytes of payload of every segment but the last. Only for segmentation, and then at least 1.
  public let segmentSize: UInt16
  /// Bytes of the frame that the request was checked against.
  public let frameLength: Int
  /// The headers of that frame.
  public let layout: FrameLayout

  init(_ kind: Kind, header: VirtioNetHeader, layout: FrameLayout, frameLength: Int) {
    self.kind = kind
    checksumStart = header.checksumStart
    checksumOffset = header.checksumOffset
    segmentSize = header.gsoSize
    self.frameLength = frameLength
    self.layout = layout
  }

  public var isSegmentation: Bool { kind == .tcpSegmentation || kind == .udpSegmentation }
}
