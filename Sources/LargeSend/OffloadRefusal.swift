// SPDX-License-Identifier: Apache-2.0

/// Why a request for offload was refused. Raw values count up from 0 without gaps, to index counters with.
public enum OffloadRefusal: UInt8, Error, BitwiseCopyable, CaseIterable, Sendable {
  /// `csum_start` lies in the Ethernet header.
  case checksumStartInEthernetHeader
  /// The checksum field that `csum_start` and `csum_offset` name is not wholly inside the frame (CVE-2024-11614).
  case checksumFieldOutsideFrame
  /// Segmentation without VIRTIO_NET_HDR_F_NEEDS_CSUM (virtio 1.3 §5.1.6.2: the driver MUST set it).
  case segmentationWithoutChecksum
  /// `gso_size` is 0.
  case segmentSizeZero
  /// `gso_type` names no segmentation, or has the ECN bit with something that is not TCP.
  case unknownSegmentationType
  /// VIRTIO_NET_HDR_GSO_UDP (UFO), which is never offered.
  case datagramFragmentation
  /// `gso_type` is for another version of IP than the frame's, or the frame is not IP.
  case networkProtocolMismatch
  /// `gso_type` is for another transport protocol than the frame's.
  case transportProtocolMismatch
  /// The frame is a fragment of a packet.
  case fragment
  /// The TCP or UDP header is not wholly inside the frame, or its length is wrong (CVE-2026-100236).
  case headerIncomplete
  /// `csum_start` and `csum_offset` do not name the checksum of the transport header that is to be repeated.
  case checksumFieldElsewhere
  /// An IPv6 routing header hides the final destination, without which there is no checksum.
  case unknownFinalDestination
  /// A segment would be longer than an IP packet can be.
  case segmentTooLong
  /// More segments than `SoftwareSegmentation.maximumSegmentCount`.
  case tooManySegments
}
