// SPDX-License-Identifier: Apache-2.0

public import Wire

/// Whether what a virtio-net header asks for fits the frame behind it (virtio 1.3 §5.1.6.2, "device requirements").
///
/// The header, the layout and the length must be of private copies: they are read here and relied on later
/// (CVE-2024-11614 and its first fix: a check of one value, then use of another).
public enum OffloadCheck: BitwiseCopyable, Equatable, Sendable {
  case valid(OffloadRequest)
  case invalid(OffloadRefusal)

  /// - Parameters:
  ///   - header: what came in front of the frame.
  ///   - layout: parsed from the frame's first bytes.
  ///   - frameLength: bytes of the frame, Ethernet header included, virtio header not.
  public init(header: VirtioNetHeader, layout: FrameLayout, frameLength: Int) {
    guard let refusal = Self.refusal(header: header, layout: layout, frameLength: frameLength) else {
      let request = OffloadRequest(Self.kind(of: header), header: header, layout: layout, frameLength: frameLength)
      self = .valid(request)
      return
    }
    self = .invalid(refusal)
  }

  /// Of a header without refusal.
  private static func kind(of header: VirtioNetHeader) -> OffloadRequest.Kind {
    guard header.needsSegmentation else { return header.needsChecksum ? .checksum : .none }
    return header.gsoType == .udpL4 ? .udpSegmentation : .tcpSegmentation
  }

  @inline(__always)
  private static func refusal(header: VirtioNetHeader, layout: FrameLayout, frameLength: Int) -> OffloadRefusal? {
    if header.needsChecksum {
      guard header.checksumStart >= FrameLayout.ethernetHeaderLength else { return .checksumStartInEthernetHeader }
      let end = Int(header.checksumStart) + Int(header.checksumOffset) + 2
      guard end <= frameLength else { return .checksumFieldOutsideFrame }
    }
    guard header.needsSegmentation else { return nil }
    return segmentationRefusal(header: header, layout: layout, frameLength: frameLength)
  }

  private static func segmentationRefusal(
    header: VirtioNetHeader, layout: FrameLayout, frameLength: Int
  ) -> OffloadRefusal? {
    guard header.needsChecksum else { return .segmentationWithoutChecksum }
    guard header.gsoSize > 0 else { return .segmentSizeZero }
    if let mismatch = typeMismatch(header: header, layout: layout) { return mismatch }
    guard !layout.isFragment else { return .fragment }
    guard layout.hasTransportHeader, layout.payloadOffset <= frameLength else { return .headerIncomplete }
    let fieldOffset = layout.transportProtocol == IPProtocol.tcp ? TCPField.checksum : UDPField.checksum
    guard Int(header.checksumStart) == layout.transportOffset, Int(header.checksumOffset) == fieldOffset else {
      return .checksumFieldElsewhere
    }
    guard layout.finalDestinationOffset > 0 else { return .unknownFinalDestination }
    return sizeRefusal(segmentSize: Int(header.gsoSize), layout: layout, frameLength: frameLength)
  }

  private static func typeMismatch(header: VirtioNetHeader, layout: FrameLayout) -> OffloadRefusal? {
    let transportProtocol: UInt8
    switch header.gsoType {
    case .tcpv4:
      guard layout.ipVersion == 4 else { return .networkProtocolMismatch }
      transportProtocol = IPProtocol.tcp
    case .tcpv6:
      guard layout.ipVersion == 6 else { return .networkProtocolMismatch }
      transportProtocol = IPProtocol.tcp
    case .udpL4 where !header.hasECN:
      guard layout.ipVersion != 0 else { return .networkProtocolMismatch }
      transportProtocol = IPProtocol.udp
    case .udp where !header.hasECN:
      return .datagramFragmentation
    default:
      return .unknownSegmentationType
    }
    return layout.transportProtocol == transportProtocol ? nil : .transportProtocolMismatch
  }

  /// - Precondition: the whole header lies inside the frame, so there is no payload of negative length.
  private static func sizeRefusal(segmentSize: Int, layout: FrameLayout, frameLength: Int) -> OffloadRefusal? {
    let payload = frameLength - layout.payloadOffset
    // IPv4's total length counts its header, IPv6's payload length does not (RFC 791 §3.1, RFC 8200 §3).
    let counted = layout.networkOffset + (layout.ipVersion == 6 ? 40 : 0)
    guard layout.payloadOffset - counted + min(segmentSize, payload) <= Int(UInt16.max) else { return .segmentTooLong }
    guard payload <= segmentSize * SoftwareSegmentation.maximumSegmentCount else { return .tooManySegments }
    return nil
  }
}
