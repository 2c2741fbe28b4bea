// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import LargeSend
import Wire

/// What each segment's headers must be, made from the frame's own with the plain algorithms.
struct SegmentModel {
  private let frame: [UInt8]
  private let request: OffloadRequest
  private let isTCP: Bool
  let count: Int

  init(_ frame: [UInt8], _ request: OffloadRequest) {
    self.frame = frame
    self.request = request
    isTCP = request.kind == .tcpSegmentation
    let payload = frame.count - request.layout.payloadOffset
    let size = Int(request.segmentSize)
    count = payload == 0 ? 1 : (payload + size - 1) / size
  }

  private var transport: Int { request.layout.transportOffset }
  private var network: Int { request.layout.networkOffset }

  /// Headers that are too long for us, or SYN or RST that would have to be repeated.
  var isRefused: Bool {
    request.layout.payloadOffset > SoftwareSegmentation.maximumHeaderLength
      || isTCP && count > 1 && frame[transport + 13] & 0x06 != 0
  }

  func header(_ index: Int, payload: Int) -> [UInt8] {
    let length = request.layout.payloadOffset
    let start = index * Int(request.segmentSize)
    var header = Array(frame[..<length])
    func word(_ value: Int, at offset: Int) {
      header[offset] = UInt8(value >> 8 & 0xff)
      header[offset + 1] = UInt8(value & 0xff)
    }
    if request.layout.ipVersion == 4 {
      word(length - network + payload, at: network + 2)
      word(Int(frame[network + 4]) << 8 + Int(frame[network + 5]) + index, at: network + 4)
      word(0, at: network + 10)
      word(Int(NaiveChecksum.checksum(Array(header[network..<transport]))), at: network + 10)
    } else {
      word(length - network - 40 + payload, at: network + 4)
    }
    if isTCP {
      let sequence = frame[transport + 4..<transport + 8].reduce(0) { $0 << 8 | Int($1) } + start
      word(sequence >> 16, at: transport + 4)
      word(sequence, at: transport + 6)
      patchControl(&header, index, start)
    } else {
      word(8 + payload, at: transport + 4)
    }
    let field = transport + (isTCP ? 16 : 6)
    word(0, at: field)
    let data = request.layout.payloadOffset + start
    let segment = header[transport...] + frame[data..<data + payload]
    let checksum = NaiveChecksum.checksum(pseudoHeader(segment.count) + segment)
    word(!isTCP && checksum == 0 ? 0xffff : Int(checksum), at: field)
    return header
  }

  /// CWR in the first segment only, FIN and PSH in the last, the urgent octet where it was.
  private func patchControl(_ header: inout [UInt8], _ index: Int, _ start: Int) {
    let control = transport + 13
    if index < count - 1 { header[control] &= ~0x09 }
    guard index > 0 else { return }
    header[control] &= ~0x80
    guard header[control] & 0x20 != 0 else { return }
    let urgent = Int(header[transport + 18]) << 8 | Int(header[transport + 19])
    let remaining = max(urgent - start, 0)
    header[transport + 18] = UInt8(remaining >> 8)
    header[transport + 19] = UInt8(remaining & 0xff)
    if remaining == 0 { header[control] &= ~0x20 }
  }

  private func pseudoHeader(_ length: Int) -> [UInt8] {
    let isIPv4 = request.layout.ipVersion == 4
    let width = isIPv4 ? 4 : 16
    let source = network + (isIPv4 ? 12 : 8)
    let destination = request.layout.finalDestinationOffset
    let octets = [
      UInt8(length >> 24 & 0xff), UInt8(length >> 16 & 0xff), UInt8(length >> 8 & 0xff), UInt8(length & 0xff),
    ]
    return Array(frame[source..<source + width]) + frame[destination..<destination + width] + octets
      + [0, 0, 0, isTCP ? 6 : 17]
  }
}
