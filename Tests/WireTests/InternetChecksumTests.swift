// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import Memory
import Testing
import Wire

@Suite("Internet checksum: RFC 1071 and RFC 1624")
struct InternetChecksumTests {
  private func checksum(_ pieces: [ByteRegion]) -> UInt16 {
    var sum = InternetChecksum()
    for piece in pieces { sum.add(piece) }
    return sum.checksum
  }

  @Test func theExampleOfRFC1071Section3SumsAsPrintedThere() {
    let sum = ByteRegion.with([0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]) { bytes in
      var sum = InternetChecksum()
      sum.add(bytes)
      return sum.sum
    }
    #expect(sum == 0xddf2)
  }

  @Test(arguments: 0...7)
  func everyLengthTo300AgreesWithTheNaiveSum(startingAt offset: Int) {
    var generator = SplitMix64(seed: UInt64(offset))
    let bytes = generator.bytes(320)
    ByteRegion.with(bytes) { region in
      for length in 0...300 {
        let naive = NaiveChecksum.checksum(Array(bytes[offset..<offset + length]))
        #expect(checksum([region.slice(from: offset, count: length)]) == naive, "length \(length)")
      }
    }
  }

  @Test(arguments: [65535, 65536, 60001, 4096 + 63, 1448])
  func longMessagesAgreeWithTheNaiveSum(length: Int) {
    var generator = SplitMix64(seed: UInt64(length))
    let bytes = generator.bytes(length)
    #expect(ByteRegion.with(bytes) { checksum([$0]) } == NaiveChecksum.checksum(bytes))
  }

  @Test(arguments: [UInt8(0), 0xff])
  func uniformBytesAgreeWithTheNaiveSumSoNoCarryIsLost(byte: UInt8) {
    for length in [0, 1, 2, 7, 8, 9, 63, 64, 127, 128, 129, 191, 192, 1448, 65536] {
      let bytes = [UInt8](repeating: byte, count: length)
      #expect(ByteRegion.with(bytes) { checksum([$0]) } == NaiveChecksum.checksum(bytes), "length \(length)")
    }
  }

  @Test(arguments: 0..<200)
  func piecesThatEndAtOddOffsetsCombineToTheSumOfTheWhole(seed: Int) {
    var generator = SplitMix64(seed: UInt64(seed))
    let bytes = generator.bytes(Int.random(in: 0...2000, using: &generator))
    let combined = ByteRegion.with(bytes) { region in
      var pieces: [ByteRegion] = []
      var start = 0
      while start < region.count {
        let count = Int.random(in: 0...min(region.count - start, 300), using: &generator)
        pieces.append(region.slice(from: start, count: count))
        start += count
      }
      return checksum(pieces)
    }
    #expect(combined == NaiveChecksum.checksum(bytes))
  }

  @Test func wordsAddedBehindAnOddPieceAreTheBytesThatFollowIt() {
    var sum = InternetChecksum()
    ByteRegion.with([1, 2, 3]) { sum.add($0) }
    sum.add(UInt16(0x0405))
    sum.add(UInt32(0x0607_0809))
    #expect(sum.checksum == NaiveChecksum.checksum([1, 2, 3, 4, 5, 6, 7, 8, 9]))
  }

  @Test(arguments: [4, 16])
  func thePseudoHeaderSumsAsItIsDrawnInTheRFCs(addressLength: Int) {
    var generator = SplitMix64(seed: UInt64(addressLength))
    let addresses = generator.bytes(2 * addressLength)
    let length: UInt32 = addressLength == 4 ? 0xfedc : 0x1_fedc
    var sum = InternetChecksum()
    ByteRegion.with(addresses) { region in
      sum.addPseudoHeader(
        source: region.slice(from: 0, count: addressLength), destination: region.suffix(from: addressLength),
        transportProtocol: 6, length: length)
    }
    // RFC 9293 §3.1: zero, protocol, 16-bit length. RFC 8200 §8.1: 32-bit length, three zeros, next header.
    let rest: [UInt8] = addressLength == 4 ? [0, 6, 0xfe, 0xdc] : [0, 1, 0xfe, 0xdc, 0, 0, 0, 6]
    #expect(sum.checksum == NaiveChecksum.checksum(addresses + rest))
  }

  @Test func aDatagramChecksumOfZeroIsSentAsAllOnes() {
    var sum = InternetChecksum()
    sum.add(UInt16(0xffff))
    #expect(sum.checksum == 0)
    #expect(sum.datagramChecksum == 0xffff)
    sum.add(UInt16(1))
    #expect(sum.datagramChecksum == sum.checksum)
  }

  @Test func theExampleOfRFC1624Section4Updates() {
    #expect(InternetChecksum.update(0xdd2f, replacing: UInt16(0x5555), with: 0x3285) == 0x0000)
  }

  @Test(arguments: 0..<200)
  func updatingForAChangedFieldEqualsSummingAgain(seed: Int) {
    var generator = SplitMix64(seed: UInt64(seed))
    let edges: [UInt32] = [0, 0xffff, 0xffff_0000, 0xffff_ffff]
    let old = seed < 16 ? edges[seed % 4] : .random(in: 0...UInt32.max, using: &generator)
    let new = seed < 16 ? edges[seed / 4] : .random(in: 0...UInt32.max, using: &generator)
    let rest = generator.bytes(16)
    func octets(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }

    let before = NaiveChecksum.checksum(octets(old) + rest)
    #expect(
      InternetChecksum.update(before, replacing: old, with: new) == NaiveChecksum.checksum(octets(new) + rest))
    let half = UInt16(truncatingIfNeeded: new)
    #expect(
      InternetChecksum.update(before, replacing: UInt16(truncatingIfNeeded: old), with: half)
        == NaiveChecksum.checksum(octets(old & 0xffff_0000 | UInt32(half)) + rest))
  }
}
