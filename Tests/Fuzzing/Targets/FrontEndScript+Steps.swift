// SPDX-License-Identifier: Apache-2.0

import Memory
import VhostUser
import Virtio

/// The steps of an input, numbered in `MessagesTarget`.
extension FrontEndScript {
  static let userAddress: UInt64 = 0x7f00_0000_0000
  static let guestAddress: UInt64 = 0x10000
  /// Where the rings of queue N lie in the guest's memory.
  private static func ring(_ queue: Int) -> UInt64 { userAddress + UInt64(queue & 15) * 0x4000 }

  func step(_ input: inout InputReader) throws {
    switch input.byte() & 15 {
    case 8: try speakSanely(&input)
    case 9:
      let place = Int(input.u16()) * 16 % stock.memory.count
      let octets = input.bytes(Int(input.byte()))
      stock.memory.slice(from: place, count: min(octets.count, stock.memory.count - place))
        .copy(from: octets.slice(from: 0, count: min(octets.count, stock.memory.count - place)))
    case 10: try turn(Int(input.byte() & 7) + 1)
    case 11: stock.shorten(to: Int(input.byte()) * 4096)
    case 12: try readReplies(Int(input.byte() & 15))
    case 13: try reconnect()
    case 14: try repeatMessage(&input)
    case 15: writeChain(&input)
    default: try sendMessage(&input)
    }
  }

  /// The octet "how it is sent": bit 0: together with the next one; bit 1: only so much of it as the next octet says;
  /// bits 4...7: the kind of the payload.
  private func sendMessage(_ input: inout InputReader) throws {
    let request = UInt32(input.byte())
    let flags = input.byte()
    let how = input.byte()
    let cut = how & 2 != 0 ? Int(input.byte()) : Int.max
    takeDescriptors(&input)
    let payload = payload(how >> 4, &input)
    append(request, flags, payload)
    guard how & 1 == 0 else { return }
    try send(first: cut)
  }

  private func takeDescriptors(_ input: inout InputReader) {
    let count = Int(input.byte() & 15)
    for _ in 0..<count { descriptors.append(stock.descriptors[Int(input.byte()) % stock.descriptors.count]) }
  }

  /// Flags: bit 0: another version; bit 1: another size than it has; bit 3: an answer is wanted.
  private func append(_ request: UInt32, _ flags: UInt8, _ payload: [UInt8]) {
    let version: UInt32 = flags & 1 == 0 ? 1 : UInt32(flags >> 4)
    let size = UInt32(payload.count) &+ (flags & 2 == 0 ? 0 : UInt32(flags) << 4)
    outgoing += Self.octets(request) + Self.octets(version | UInt32(flags & 8)) + Self.octets(size) + payload
    willSend(request, isUnderstood: flags & 3 == 0)
  }

  static func octets<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
    (0..<Value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  private func payload(_ kind: UInt8, _ input: inout InputReader) -> [UInt8] {
    switch kind {
    case 0: return []
    case 1: return Self.octets(input.u64())
    case 2: return Self.octets(UInt32(input.byte())) + Self.octets(UInt32(input.u16()))
    case 3: return Self.octets(input.u32()) + Self.octets(input.u32())
    case 4: return addresses(Int(input.byte()), &input)
    case 5: return [UInt8](repeating: 0, count: 8) + region(Int(input.byte()), &input)
    case 6:
      let count = Int(input.byte() & 15)
      return Self.octets(UInt64(count)) + (0..<count).flatMap { _ in region(Int(input.byte()), &input) }
    case 7: return Self.octets(UInt64(input.u16()))
    default: return input.bytes(Int(input.byte())).bytes
    }
  }

  /// A vring's addresses, of which one may be another.
  private func addresses(_ queue: Int, _ input: inout InputReader) -> [UInt8] {
    let base = Self.ring(queue)
    // From 0x80 on the used ring is to be logged.
    let log = UInt32(queue) >> 7
    var fields = [base, base + 0x2000, base + 0x1000, base - Self.userAddress + Self.guestAddress + 0x2000]
    perturb(&fields, &input)
    return Self.octets(UInt32(queue & 0x7f)) + Self.octets(log) + fields.flatMap(Self.octets)
  }

  /// Regions that the files of the stock hold: all of it, two halves, one behind a hole, and the second file.
  private func region(_ number: Int, _ input: inout InputReader) -> [UInt8] {
    let bytes = UInt64(DescriptorStock.ramBytes)
    let half = bytes / 2
    let choice: [[UInt64]] = [
      [Self.guestAddress, bytes, Self.userAddress, 0],
      [Self.guestAddress, half, Self.userAddress, 0],
      [Self.guestAddress + half, half, Self.userAddress + half, half],
      [Self.guestAddress + 2 * bytes, UInt64(DescriptorStock.secondBytes), Self.userAddress + 4 * bytes, 0],
      [Self.guestAddress + UInt64(number) * 4096, 4096, Self.userAddress + 8 * bytes + UInt64(number) * 4096, 4096],
    ]
    var fields = choice[number % choice.count]
    perturb(&fields, &input)
    return fields.flatMap(Self.octets)
  }

  private func perturb(_ fields: inout [UInt64], _ input: inout InputReader) {
    let field = Int(input.byte())
    guard field >= 0x80 else { return }
    let value = input.u64()
    fields[field % fields.count] = field & 0x40 == 0 ? value : fields[field % fields.count] &+ value
  }

  /// A front-end that knows its trade; each bit of `parts` leaves something out.
  private func speakSanely(_ input: inout InputReader) throws {
    let wanted = UInt64(input.u16())
    let size = UInt32(input.byte())
    let parts = input.byte()
    // Bits of the offered features, picked by number.
    let offered = BackEnd.offeredFeatures.rawValue
    let bits = (0..<64).filter { offered >> UInt64($0) & 1 != 0 }
    var features: UInt64 = 1 << 32
    for (index, bit) in bits.enumerated() where wanted >> UInt64(index % 16) & 1 != 0 { features |= 1 << UInt64(bit) }
    if parts & 1 == 0 { say(16, Self.octets(ProtocolFeatures.offered.rawValue)) }
    if parts & 2 == 0 { say(2, Self.octets(features)) }
    if parts & 4 == 0 {
      say(37, [UInt8](repeating: 0, count: 8) + region(0, &input), [stock.ram])
    }
    try send()
    for queue in 0..<(parts & 128 == 0 ? 2 : 8) {
      let index = Self.octets(UInt32(queue))
      say(13, Self.octets(UInt64(queue)), [stock.kick])
      try send()
      say(8, index + Self.octets(size == 0 ? 256 : size))
      say(10, index + Self.octets(UInt32(features >> 34 & 1 != 0 ? 0x8000_8000 : 0)))
      say(9, addresses(queue, &input))
      try send()
      if parts & 8 == 0 { say(12, Self.octets(UInt64(queue)), [stock.kick]) }
      if parts & 16 == 0 { say(18, index + Self.octets(UInt32(1))) }
      try send()
    }
  }

  private func say(_ request: UInt32, _ payload: [UInt8], _ with: [Int32] = []) {
    append(request, 8, payload)
    descriptors += with
  }

  private func repeatMessage(_ input: inout InputReader) throws {
    let count = Int(input.byte())
    let request = UInt32(input.byte())
    let flags = input.byte() & 8
    let how = input.byte()
    let first = descriptors.count
    takeDescriptors(&input)
    let with = Array(descriptors[first...].prefix(8))
    descriptors = []
    var payload = payload(how >> 4, &input)
    let repeats = min(count, repeatsLeft)
    repeatsLeft -= repeats
    for index in 0..<repeats {
      descriptors = with
      // The third octet of the first address or number.
      if payload.count >= 16, how & 1 != 0 { payload[10] = UInt8(truncatingIfNeeded: index) }
      append(request, flags, payload)
      try send()
    }
  }

  /// One descriptor, made available in the split ring of queue 1.
  private func writeChain(_ input: inout InputReader) {
    let ring = 0x4000
    let memory = stock.memory
    let index: UInt16 = memory.load(at: ring + 0x1002)
    let entry = Int(index & 127)
    memory.store(Self.guestAddress + UInt64(input.u16()) * 16, at: ring + 16 * entry)
    memory.store(UInt32(input.u16()), at: ring + 16 * entry + 8)
    memory.store(UInt16(input.byte()), at: ring + 16 * entry + 12)
    memory.store(UInt16(entry), at: ring + 0x1004 + 2 * entry)
    memory.store(index &+ 1, at: ring + 0x1002)
  }
}
