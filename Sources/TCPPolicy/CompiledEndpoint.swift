// SPDX-License-Identifier: Apache-2.0

import Wire

/// An `EndpointMatch` that is compared without a branch: an address by value and mask, a port by its distance.
struct CompiledEndpoint: BitwiseCopyable, Sendable {
  private let addressHigh: UInt64
  private let maskHigh: UInt64
  private let addressLow: UInt64
  private let maskLow: UInt64
  private let firstPort: UInt16
  private let portSpan: UInt16

  /// - Parameter match: checked.
  init(_ match: EndpointMatch) {
    addressHigh = match.prefix?.addressHigh ?? 0
    addressLow = match.prefix?.addressLow ?? 0
    maskHigh = match.prefix?.maskHigh ?? 0
    maskLow = match.prefix?.maskLow ?? 0
    firstPort = match.firstPort
    portSpan = match.lastPort &- match.firstPort
  }

  /// The IP version is compared elsewhere.
  @inline(__always)
  func matches(_ end: Endpoint) -> Bool {
    let difference = (end.addressHigh ^ addressHigh) & maskHigh | (end.addressLow ^ addressLow) & maskLow
    // A port below the first wraps to a distance beyond any span that ends at 65535.
    return (difference == 0) && (end.port &- firstPort <= portSpan)
  }
}
