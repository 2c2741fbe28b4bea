// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import Memory
import Testing
import Wire

@Suite("TCP options: read once, bounded, never trusted")
struct TCPOptionsTests {
  /// Parses options behind a lead of `start` octets, in memory that ends where they end.
  private func with<Result>(_ options: [UInt8], from start: Int = 34, _ body: (TCPOptions, ByteRegion) -> Result)
    -> Result
  {
    ByteRegion.with([UInt8](repeating: 0xee, count: start) + options) { head in
      body(TCPOptions(parsing: head, from: start, to: head.count), head)
    }
  }

  private func parse(_ options: [UInt8]) -> TCPOptions { with(options) { parsed, _ in parsed } }

  private func expectModel(_ options: [UInt8]) {
    let model = OptionsModel(options)
    #expect(with(options) { model.matches($0, in: $1, from: 34) }, "\(options): \(model)")
  }

  @Test func theOptionsOfALinuxSYNAreFound() {
    let options = parse([2, 4, 0x05, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7])
    #expect(options.kinds == [.maximumSegmentSize, .sackPermitted, .timestamps, .windowScale])
    #expect(options.maximumSegmentSize == 1460 && options.windowScale == 7)
    #expect(options.timestamps == TCPTimestamps(value: 0x0102_0304, echo: 0))
    #expect(options.maximumSegmentSizeOffset == 34 && options.timestampsOffset == 40 && options.sackOffset == 0)
  }

  @Test func timestampsAloneAreReadByTheShortWayAsByTheLong() {
    let timestamps: [UInt8] = [8, 10, 1, 2, 3, 4, 5, 6, 7, 8]
    expectModel([1, 1] + timestamps)
    expectModel([1, 1] + timestamps + [1, 1, 1, 1])
    expectModel(timestamps + [1, 1])
    #expect(parse([1, 1] + timestamps).timestamps == parse(timestamps + [1, 1]).timestamps)
  }

  @Test(arguments: 0..<2000)
  func wellFormedOptionsAgreeWithTheModel(seed: Int) {
    var generator = SplitMix64(seed: UInt64(seed))
    let options = RandomOptions.make(using: &generator)
    expectModel(options)
    #expect(!parse(options).kinds.contains(.malformed))
  }

  @Test(arguments: 0..<500)
  func damagedAndCutOptionsAgreeWithTheModel(seed: Int) {
    var generator = SplitMix64(seed: UInt64(seed))
    var options = RandomOptions.make(using: &generator)
    for count in 0...options.count { expectModel(Array(options[..<count])) }
    for _ in 0..<10 where !options.isEmpty {
      options[Int.random(in: 0..<options.count, using: &generator)] = .random(in: 0...35, using: &generator)
      expectModel(options)
    }
  }

  @Test(arguments: 0...48)
  func anyBytesOfAnyLengthAgreeWithTheModel(length: Int) {
    var generator = SplitMix64(seed: UInt64(length))
    for _ in 0..<300 {
      // Small numbers, or nearly every input would end at its first option.
      let options = (0..<length).map { _ in
        UInt8.random(in: 0...255, using: &generator) >> UInt8.random(in: 0...6, using: &generator)
      }
      expectModel(options)
    }
  }

  @Test(arguments: [UInt8(2), 3, 4, 5, 8, 19, 29, 30, 34, 172, 174, 253, 254, 255])
  func everyKindWithEveryLengthAgreesWithTheModel(kind: UInt8) {
    for total in 1...40 {
      for length in UInt8.min...44 {
        expectModel([kind, length] + [UInt8](repeating: 1, count: total - 1))
        expectModel([1, kind, length] + [UInt8](repeating: 1, count: total - 1))
        expectModel([kind, length, 0xf9, 0x89] + [UInt8](repeating: 1, count: total - 1))
      }
    }
  }

  @Test func theEndOfTheListHidesWhatIsBehindIt() {
    #expect(parse([1, 0, 8, 10]).kinds == [])
    #expect(parse([3, 3, 9, 0, 2, 0, 0, 0]).kinds == .windowScale)
  }

  @Test func aSecondOptionWithValuesIsMalformedAndTheFirstCounts() {
    let options = parse([3, 3, 9, 3, 3, 8, 1, 1])
    #expect(options.kinds == [.windowScale, .malformed] && options.windowScale == 9)
  }

  @Test func severalMultipathOptionsAreNotMalformed() {
    #expect(parse([30, 4, 0, 0, 30, 4, 0, 0]).kinds == .multipath)
  }

  @Test(arguments: 1...4)
  func sackBlocksAreReadInTheirOrder(count: Int) {
    var bytes: [UInt8] = [5, UInt8(2 + 8 * count)]
    for block in 0..<count { bytes += [0xff, 0, 0, UInt8(block), 0, 0, 1, UInt8(block)] }
    with(bytes + [1, 1]) { options, head in
      #expect(options.sackBlockCount == count)
      let blocks = options.sackBlocks(in: head)
      #expect(blocks.count == count)
      for index in 0..<count {
        #expect(blocks[index].start.rawValue == 0xff00_0000 + UInt32(index))
        #expect(blocks[index].end.rawValue == 0x100 + UInt32(index))
      }
    }
  }
}
