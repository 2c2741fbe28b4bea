// SPDX-License-Identifier: Apache-2.0

public import Packets
import Wire

extension EgressLimits {
  /// The longest frame of several segments that a request like this may ask for. Bytes.
  ///
  /// UDP has its length in 16 bits. IPv6 beyond 64 KiB goes in no form that all kernels take (docs/decisions/0023).
  @inline(__always)
  func most(_ request: OffloadRequest) -> Int {
    let network = request.layout.networkOffset
    guard request.layout.ipVersion == 4 else { return min(ipv6Bytes, network &+ 40 &+ Int(UInt16.max)) }
    let ordinary = network &+ Int(UInt16.max)
    guard request.kind == .tcpSegmentation else { return min(ipv4Bytes, ordinary) }
    return ipv4Bytes > Self.ordinaryIPv4Bytes ? ipv4Bytes : min(ipv4Bytes, ordinary)
  }

  /// The most segments that a request like this may ask for.
  @inline(__always)
  func mostSegments(_ request: OffloadRequest) -> Int {
    request.kind == .tcpSegmentation ? segments : leastSegments
  }

  /// Whether a frame that is to be segmented passes as it is.
  @inline(__always)
  public func admit(_ request: OffloadRequest) -> Bool {
    // No overflow: `init` has 65,536 segments at the most.
    let payload = request.frameLength &- request.layout.payloadOffset
    let size = Int(request.segmentSize)
    return request.frameLength <= most(request) && payload <= mostSegments(request) &* size
      || payload <= size
  }
}
