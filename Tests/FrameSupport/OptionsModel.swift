// SPDX-License-Identifier: Apache-2.0

public import Memory
public import Wire

/// TCP options, read step by step over an array: what `TCPOptions` must say.
public struct OptionsModel: CustomStringConvertible {
  /// Where the options of each number begin, in octets from the first option.
  private var places: [UInt8: Int] = [:]
  private var kinds: TCPOptionKinds = []
  private let bytes: [UInt8]

  private static let lengths: [UInt8: Set<Int>] = [
    2: [4], 3: [3], 4: [2], 5: [10, 18, 26, 34], 8: [10], 19: [18], 29: Set(4...40), 30: Set(3...40),
    34: Set(stride(from: 2, through: 20, by: 2)), 172: [2, 5, 8, 11], 174: [2, 5, 8, 11],
  ]
  private static let names: [UInt8: TCPOptionKinds] = [
    2: .maximumSegmentSize, 3: .windowScale, 4: .sackPermitted, 5: .sack, 8: .timestamps, 19: .md5,
    29: .authentication, 30: .multipath, 34: .fastOpen, 172: .accurateECN, 174: .accurateECN,
  ]

  public init(_ options: [UInt8]) {
    bytes = Array(options.prefix(40))
    var offset = 0
    while offset < bytes.count, bytes[offset] != 0 {
      guard bytes[offset] != 1 else {
        offset += 1
        continue
      }
      guard offset + 1 < bytes.count, accept(offset, Int(bytes[offset + 1])) else {
        kinds.insert(.malformed)
        return
      }
      offset += Int(bytes[offset + 1])
    }
  }

  private mutating func accept(_ offset: Int, _ length: Int) -> Bool {
    guard length >= 2, offset + length <= bytes.count else { return false }
    var number = bytes[offset]
    if number == 254, length >= 4, bytes[offset + 2] == 0xf9, bytes[offset + 3] == 0x89 { number = 34 }
    guard let name = Self.names[number], let allowed = Self.lengths[number] else {
      kinds.insert(.unknown)
      return true
    }
    guard allowed.contains(length) else { return false }
    if [2, 3, 5, 8].contains(number), places[number] != nil { return false }
    places[number] = offset
    kinds.insert(name)
    return true
  }

  private func number(_ option: UInt8, _ offset: Int, _ octets: Int) -> Int {
    guard let place = places[option] else { return 0 }
    return bytes[(place + offset)..<(place + offset + octets)].reduce(0) { $0 << 8 | Int($1) }
  }

  /// - Parameters:
  ///   - start: where the first option is in `head`.
  public func matches(_ options: TCPOptions, in head: ByteRegion, from start: Int) -> Bool {
    let blocks = places[5].map { (Int(bytes[$0 + 1]) - 2) / 8 } ?? 0
    var sack = Int(options.sackBlockCount) == blocks
    for index in 0..<min(blocks, Int(options.sackBlockCount)) {
      let block = options.sackBlock(index, in: head)
      sack = sack && Int(block.start.rawValue) == number(5, 2 + index * 8, 4)
      sack = sack && Int(block.end.rawValue) == number(5, 6 + index * 8, 4)
    }
    func place(_ option: UInt8) -> Int { places[option].map { $0 + start } ?? 0 }
    return sack && options.kinds == kinds && Int(options.maximumSegmentSize) == number(2, 2, 2)
      && Int(options.windowScale) == number(3, 2, 1) && Int(options.timestampValue) == number(8, 2, 4)
      && Int(options.timestampEcho) == number(8, 6, 4) && options.timestampsOffset == place(8)
      && options.sackOffset == place(5) && options.maximumSegmentSizeOffset == place(2)
      && (options.timestamps == nil) == (places[8] == nil)
  }

  public var description: String { "kinds \(kinds.rawValue) at \(places)" }
}
