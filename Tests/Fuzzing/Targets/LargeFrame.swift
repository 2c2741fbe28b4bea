// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import LargeSend
import Memory
import Packets
import Wire

/// A frame as the datapath has one that is to be split: its first bytes in private memory, the rest where vectors say; and whole, in a piece.
struct LargeFrame: CustomStringConvertible {
  let request: OffloadRequest
  let header: VirtioNetHeader
  /// As it is without a jumbogram's header.
  let whole: ByteRegion
  let vectorCount: Int
  private let memory: ByteRegion
  private let head: ByteRegion
  private let vectors: RecordBuffer<IOVector>

  var description: String { "\(request), \(head.count) bytes copied" }
  var layout: FrameLayout { request.layout }
  var payloadCount: Int { whole.count - layout.payloadOffset }

  /// - Returns: nil for what is not IP, or asks for what can't be.
  init?(_ frame: ByteRegion, _ asked: VirtioNetHeader, headCount: Int, vectorLength: Int) throws(Finding) {
    let copied = min(headCount, frame.count)
    let memory = ByteRegion.allocate(count: copied)
    memory.copy(from: frame.slice(from: 0, count: copied))
    let before = memory.bytes
    guard let layout = FrameLayout(parsing: memory, frameLength: frame.count) else {
      memory.deallocate()
      return nil
    }
    var (head, header) = (memory, asked)
    if JumboPayload.remove(from: memory, layout, frameLength: frame.count) {
      head = memory.slice(from: 0, count: copied - JumboPayload.headerLength)
      try Self.checkRemoval(before, head.bytes, layout, frameLength: frame.count)
      let end = layout.networkOffset + 40 + JumboPayload.headerLength
      header.checksumStart = Int(asked.checksumStart) >= end ? asked.checksumStart - 8 : 0
    } else {
      try Finding.require(memory.bytes == before, "nothing was taken out, and something is other")
    }
    let count = frame.count - copied + head.count
    guard let shorter = head.count == copied ? layout : FrameLayout(parsing: head, frameLength: count),
      case .valid(let request) = OffloadCheck(header: header, layout: shorter, frameLength: count)
    else {
      memory.deallocate()
      return nil
    }
    self.request = request
    self.header = header
    self.memory = memory
    self.head = head
    let rest = frame.suffix(from: copied)
    whole = ByteRegion.allocate(count: count)
    whole.copy(from: head)
    whole.copy(from: rest, at: head.count)
    let length = max(vectorLength, rest.count / 512 + 1)
    vectorCount = (rest.count + length - 1) / length
    vectors = RecordBuffer(capacity: max(vectorCount, 1), repeating: .none)
    for index in 0..<vectorCount {
      vectors[index] = IOVector(rest.slice(from: index * length, count: min(length, rest.count - index * length)))
    }
  }

  func deallocate() {
    memory.deallocate()
    whole.deallocate()
    vectors.deallocate()
  }

  /// Eight octets are gone behind IPv6's header, which names what was behind them, and says the length if it can.
  private static func checkRemoval(
    _ before: [UInt8], _ after: [UInt8], _ layout: FrameLayout, frameLength: Int
  ) throws(Finding) {
    let network = layout.networkOffset
    var expected = before
    let payload = frameLength - network - 48
    expected[network + 4] = payload > 0xffff ? 0 : UInt8(payload >> 8)
    expected[network + 5] = payload > 0xffff ? 0 : UInt8(payload & 0xff)
    expected[network + 6] = expected[network + 40]
    expected.removeSubrange(network + 40..<network + 48)
    try Finding.require(after == expected, "\(after) instead of \(expected)")
  }

  /// Headers that are too long for us or not in the copy, no payload, or SYN or RST that would have to be repeated.
  var mustBeRefused: Bool {
    if layout.payloadOffset > min(LargeSendSplitter.maximumHeaderLength, head.count) || payloadCount == 0 {
      return true
    }
    guard request.kind == .tcpSegmentation, payloadCount > Int(request.segmentSize) else { return false }
    return whole.load(UInt8.self, at: layout.transportOffset + 13) & 0x06 != 0
  }

  func split(_ limits: EgressLimits, from position: Int) -> LargeSendSplitter? {
    LargeSendSplitter(
      head: head, rest: VectorCursor(vectors, first: 0, end: vectorCount), header: header, request: request,
      limits: limits, from: position)
  }
}
