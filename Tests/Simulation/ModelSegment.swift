// SPDX-License-Identifier: Apache-2.0

import Memory

/// A TCP segment as the simulated ends write and read it: code of its own, that shares nothing with what is tested.
struct ModelSegment {
  static let fin: UInt8 = 1
  static let syn: UInt8 = 2
  static let rst: UInt8 = 4
  static let psh: UInt8 = 8
  static let ack: UInt8 = 16
  static let urg: UInt8 = 32
  static let ece: UInt8 = 64
  static let cwr: UInt8 = 128

  var sourceIsGuest = true
  var guestPort: UInt16 = 0
  var networkPort: UInt16 = 0
  var sequence: UInt32 = 0
  var acknowledgment: UInt32 = 0
  var flags: UInt8 = 0
  var window: UInt16 = 0
  var urgent: UInt16 = 0
  var ecn: UInt8 = 0
  var maximumSegmentSize: UInt16?
  var windowScale: UInt8?
  var permitsSACK = false
  var timestamp: (value: UInt32, echo: UInt32)?
  var blocks: [(start: UInt32, end: UInt32)] = []
  /// Options that nobody knows, as they are.
  var extraOptions: [UInt8] = []
  var payloadOffset = 0
  var payloadCount = 0
  var isIPv6 = false

  func has(_ flag: UInt8) -> Bool { flags & flag != 0 }
  var length: UInt32 { UInt32(payloadCount) + (has(Self.syn) ? 1 : 0) + (has(Self.fin) ? 1 : 0) }

  static let guestMAC: [UInt8] = [2, 0, 0, 0, 0, 1]
  static let networkMAC: [UInt8] = [2, 0, 0, 0, 0, 2]

  /// Writes the frame's headers; the payload's octets are at `payloadOffset` when it returns. Returns the frame's length.
  mutating func write(to frame: ByteRegion) -> Int {
    frame.copy(from: sourceIsGuest ? Self.networkMAC : Self.guestMAC, at: 0)
    frame.copy(from: sourceIsGuest ? Self.guestMAC : Self.networkMAC, at: 6)
    let tcp = 14 + (isIPv6 ? 40 : 20)
    let options = optionBytes()
    let header = 20 + options.count
    payloadOffset = tcp + header
    frame.storeNetworkOrder(UInt16(isIPv6 ? 0x86dd : 0x0800), at: 12)
    if isIPv6 {
      frame.storeNetworkOrder(UInt32(0x6000_0000) | UInt32(ecn) << 20, at: 14)
      frame.storeNetworkOrder(UInt16(header + payloadCount), at: 18)
      frame.store(UInt8(6), at: 20)
      frame.store(UInt8(64), at: 21)
      frame.copy(from: Self.address6(isGuest: sourceIsGuest), at: 22)
      frame.copy(from: Self.address6(isGuest: !sourceIsGuest), at: 38)
    } else {
      frame.storeNetworkOrder(UInt32(0x4500_0000) | UInt32(ecn) << 16 | UInt32(20 + header + payloadCount), at: 14)
      frame.storeNetworkOrder(UInt32(0x0000_4000), at: 18)
      frame.storeNetworkOrder(UInt32(0x4006_0000), at: 22)
      frame.storeNetworkOrder(UInt32(0x0a00_0000) | (sourceIsGuest ? 1 : 2), at: 26)
      frame.storeNetworkOrder(UInt32(0x0a00_0000) | (sourceIsGuest ? 2 : 1), at: 30)
      frame.storeNetworkOrder(~Self.fold(Self.sum(frame, 14, 20)), at: 24)
    }
    frame.storeNetworkOrder(sourceIsGuest ? guestPort : networkPort, at: tcp)
    frame.storeNetworkOrder(sourceIsGuest ? networkPort : guestPort, at: tcp + 2)
    frame.storeNetworkOrder(sequence, at: tcp + 4)
    frame.storeNetworkOrder(acknowledgment, at: tcp + 8)
    frame.store(UInt8(header / 4 * 16), at: tcp + 12)
    frame.store(flags, at: tcp + 13)
    frame.storeNetworkOrder(window, at: tcp + 14)
    frame.storeNetworkOrder(UInt16(0), at: tcp + 16)
    frame.storeNetworkOrder(urgent, at: tcp + 18)
    frame.copy(from: options, at: tcp + 20)
    return payloadOffset + payloadCount
  }

  private static func address6(isGuest: Bool) -> [UInt8] {
    [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, isGuest ? 1 : 2]
  }

  private func optionBytes() -> [UInt8] {
    var bytes: [UInt8] = []
    func word(_ value: UInt32) {
      for shift in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: value >> UInt32(shift))) }
    }
    if let maximumSegmentSize { bytes += [2, 4, UInt8(maximumSegmentSize >> 8), UInt8(maximumSegmentSize & 255)] }
    if permitsSACK { bytes += [4, 2, 1, 1] }
    if let windowScale { bytes += [3, 3, windowScale, 1] }
    if let timestamp {
      bytes += [1, 1, 8, 10]
      word(timestamp.value)
      word(timestamp.echo)
    }
    bytes += extraOptions
    while bytes.count % 4 != 0 { bytes.append(1) }
    let fitting = blocks.prefix((40 - bytes.count - 2) / 8)
    if !fitting.isEmpty {
      bytes += [1, 1, 5, UInt8(2 + fitting.count * 8)]
      for block in fitting {
        word(block.start)
        word(block.end)
      }
    }
    return bytes
  }

  /// The flags of a frame that may be damaged otherwise.
  static func flags(of frame: ByteRegion) -> UInt8 {
    let place = frame.networkOrder(UInt16.self, at: 12) == 0x86dd ? 67 : 47
    return place < frame.count ? frame.load(at: place) : 0
  }

  /// Marks CE what says ECT, as a router does.
  static func mark(_ frame: ByteRegion) {
    if frame.networkOrder(UInt16.self, at: 12) == 0x86dd {
      let word = frame.networkOrder(UInt16.self, at: 14)
      if word >> 4 & 3 != 0 { frame.storeNetworkOrder(word | 0x30, at: 14) }
      return
    }
    guard frame.load(UInt8.self, at: 15) & 3 != 0 else { return }
    frame.store(frame.load(UInt8.self, at: 15) | 3, at: 15)
    frame.storeNetworkOrder(UInt16(0), at: 24)
    frame.storeNetworkOrder(~fold(sum(frame, 14, 20)), at: 24)
  }

  /// Puts the checksum over the whole segment, payload and all, or the pseudo-header's sum only.
  func complete(_ frame: ByteRegion, partial: Bool) {
    let tcp = 14 + (isIPv6 ? 40 : 20)
    let length = payloadOffset + payloadCount - tcp
    frame.storeNetworkOrder(UInt16(0), at: tcp + 16)
    let pseudo = Self.pseudo(frame, isIPv6, length)
    let value = partial ? Self.fold(pseudo) : ~Self.fold(pseudo + Self.sum(frame, tcp, length))
    frame.storeNetworkOrder(value, at: tcp + 16)
  }

  static func pseudo(_ frame: ByteRegion, _ isIPv6: Bool, _ length: Int) -> UInt64 {
    (isIPv6 ? sum(frame, 22, 32) : sum(frame, 26, 8)) + 6 + UInt64(length)
  }

  static func sum(_ frame: ByteRegion, _ start: Int, _ count: Int) -> UInt64 {
    var total: UInt64 = 0
    var place = 0
    while place + 4 <= count {
      total &+= UInt64(frame.networkOrder(UInt32.self, at: start + place))
      place += 4
    }
    while place + 1 < count {
      total &+= UInt64(frame.networkOrder(UInt16.self, at: start + place))
      place += 2
    }
    if place < count { total &+= UInt64(frame.load(UInt8.self, at: start + place)) << 8 }
    return total
  }

  static func fold(_ sum: UInt64) -> UInt16 {
    var folded = sum
    while folded >> 16 != 0 { folded = (folded & 0xffff) + (folded >> 16) }
    return UInt16(folded)
  }

  /// Reads a frame strictly: nil, and why, for anything that a stack would not take.
  init(reading frame: ByteRegion, checkingSum: Bool) throws(Broken) {
    guard frame.count >= 54 else { throw Broken("a frame of \(frame.count) bytes") }
    let type = frame.networkOrder(UInt16.self, at: 12)
    guard type == 0x0800 || type == 0x86dd else { throw Broken("EtherType \(type)") }
    isIPv6 = type == 0x86dd
    guard frame.load(UInt8.self, at: isIPv6 ? 20 : 23) == 6 else { throw Broken("not TCP") }
    let tcp = 14 + (isIPv6 ? 40 : 20)
    let ipLength: Int
    if isIPv6 {
      ipLength = Int(frame.networkOrder(UInt16.self, at: 18)) + 40
      ecn = UInt8(frame.networkOrder(UInt16.self, at: 14) >> 4 & 3)
      sourceIsGuest = frame.load(UInt8.self, at: 37) == 1
    } else {
      ipLength = Int(frame.networkOrder(UInt16.self, at: 16))
      ecn = frame.load(UInt8.self, at: 15) & 3
      sourceIsGuest = frame.networkOrder(UInt32.self, at: 26) == 0x0a00_0001
      guard Self.fold(Self.sum(frame, 14, 20)) == 0xffff else { throw Broken("a wrong IP header checksum") }
      guard frame.load(UInt8.self, at: 14) == 0x45 else { throw Broken("an IP header of another length") }
    }
    guard ipLength + 14 == frame.count else { throw Broken("an IP length of \(ipLength) in \(frame.count) bytes") }
    let headerLength = Int(frame.load(UInt8.self, at: tcp + 12) >> 4) * 4
    guard headerLength >= 20, tcp + headerLength <= frame.count else {
      throw Broken("a data offset of \(headerLength)")
    }
    payloadOffset = tcp + headerLength
    payloadCount = frame.count - payloadOffset
    let source: UInt16 = frame.networkOrder(at: tcp)
    let destination: UInt16 = frame.networkOrder(at: tcp + 2)
    guestPort = sourceIsGuest ? source : destination
    networkPort = sourceIsGuest ? destination : source
    sequence = frame.networkOrder(at: tcp + 4)
    acknowledgment = frame.networkOrder(at: tcp + 8)
    flags = frame.load(at: tcp + 13)
    window = frame.networkOrder(at: tcp + 14)
    urgent = frame.networkOrder(at: tcp + 18)
    if checkingSum {
      let length = frame.count - tcp
      guard Self.fold(Self.pseudo(frame, isIPv6, length) + Self.sum(frame, tcp, length)) == 0xffff else {
        throw Broken("a wrong TCP checksum")
      }
    }
    try readOptions(frame.slice(from: tcp + 20, count: headerLength - 20))
  }

  init() {}

  private mutating func readOptions(_ bytes: ByteRegion) throws(Broken) {
    var place = 0
    while place < bytes.count {
      let kind: UInt8 = bytes.load(at: place)
      if kind == 0 { return }
      if kind == 1 {
        place += 1
        continue
      }
      guard place + 1 < bytes.count else { throw Broken("an option cut off") }
      let length = Int(bytes.load(UInt8.self, at: place + 1))
      guard length >= 2, place + length <= bytes.count else { throw Broken("an option of length \(length)") }
      switch (kind, length) {
      case (2, 4): maximumSegmentSize = bytes.networkOrder(at: place + 2)
      case (3, 3): windowScale = bytes.load(UInt8.self, at: place + 2)
      case (4, 2): permitsSACK = true
      case (8, 10): timestamp = (bytes.networkOrder(at: place + 2), bytes.networkOrder(at: place + 6))
      case (5, _) where length % 8 == 2 && length > 2:
        for start in stride(from: place + 2, to: place + length, by: 8) {
          blocks.append((bytes.networkOrder(at: start), bytes.networkOrder(at: start + 4)))
        }
      case (2...5, _), (8, _): throw Broken("option \(kind) of length \(length)")
      default: extraOptions += bytes.slice(from: place, count: length).bytes
      }
      place += length
    }
  }
}
