// SPDX-License-Identifier: Apache-2.0

public import Memory

/// The Internet checksum: the one's complement of the one's complement sum of 16-bit words (RFC 1071).
///
/// A value of this type is the running sum. Pieces are added in the order in which they lie in the message; a piece may
/// start and end anywhere, since a piece behind an odd number of bytes is added with its bytes exchanged (RFC 1071
/// §2(B)).
///
/// The sum is kept in the byte order of memory and in 64 bits with end-around carry: 2⁶⁴-1 is a multiple of 2¹⁶-1, so
/// the wide sum folds to the narrow one, and exchanging the bytes of every word is a rotation by eight bits.
public struct InternetChecksum: BitwiseCopyable, Equatable, Sendable {
  private var accumulator: UInt64 = 0
  /// Whether an odd number of bytes has been added, so that the next one is the low half of a word.
  private var endsInsideWord = false

  public init() {}

  /// Adds the bytes that follow those added so far.
  public mutating func add(_ bytes: ByteRegion) {
    add(memoryOrder: Self.sum(of: bytes))
    if bytes.count & 1 != 0 { endsInsideWord.toggle() }
  }

  /// Adds one word, given in host byte order, that follows the bytes added so far.
  public mutating func add(_ word: UInt16) {
    add(memoryOrder: UInt64(word.bigEndian))
  }

  /// Adds two words, given as one integer in host byte order, that follow the bytes added so far.
  public mutating func add(_ words: UInt32) {
    add(memoryOrder: UInt64(words.bigEndian))
  }

  /// Adds the pseudo-header of TCP and UDP over IPv4 (RFC 9293 §3.1) or IPv6 (RFC 8200 §8.1).
  ///
  /// The two differ in the widths of zeros only, so one sum serves both.
  /// - Parameters:
  ///   - source: the source address, 4 or 16 bytes.
  ///   - destination: the address of the *final* destination, 4 or 16 bytes (see `FrameLayout.finalDestinationOffset`).
  ///   - transportProtocol: the protocol of the header that follows the last extension header.
  ///   - length: bytes of transport header and payload.
  public mutating func addPseudoHeader(
    source: ByteRegion, destination: ByteRegion, transportProtocol: UInt8, length: UInt32
  ) {
    add(source)
    add(destination)
    add(UInt16(transportProtocol))
    add(length)
  }

  /// The sum in 16 bits, host byte order: what a partial checksum holds (virtio 1.3 §5.1.6.2).
  public var sum: UInt16 {
    UInt16(bigEndian: Self.fold(accumulator))
  }

  /// The 16-bit sum of a wide one; of words in host byte order if those were. 0 only of 0.
  static func fold(_ sum: UInt64) -> UInt16 {
    var folded = (sum & 0xffff_ffff) &+ (sum &>> 32)
    folded = (folded & 0xffff) &+ (folded &>> 16)
    folded = (folded & 0xffff) &+ (folded &>> 16)
    folded = (folded & 0xffff) &+ (folded &>> 16)
    return UInt16(truncatingIfNeeded: folded)
  }

  /// The value of the checksum field, host byte order. 0 over a message that holds its right checksum.
  public var checksum: UInt16 { ~sum }

  /// The value of UDP's checksum field: an all-zero checksum is sent as all ones, since zero says "none" (RFC 768).
  public var datagramChecksum: UInt16 { checksum == 0 ? 0xffff : checksum }

  /// The checksum after one 16-bit word of the message changed (RFC 1624 §3 equation 3). All in host byte order.
  public static func update(_ checksum: UInt16, replacing old: UInt16, with new: UInt16) -> UInt16 {
    foldedComplement(UInt32(~checksum) &+ UInt32(~old) &+ UInt32(new))
  }

  /// The checksum after a 32-bit field at an even offset of the message changed (RFC 1624 §3 equation 3).
  public static func update(_ checksum: UInt16, replacing old: UInt32, with new: UInt32) -> UInt16 {
    let removed = (~old &>> 16) &+ (~old & 0xffff)
    let added = (new &>> 16) &+ (new & 0xffff)
    return foldedComplement(UInt32(~checksum) &+ removed &+ added)
  }

  /// At most five words are summed above, so two folds leave no carry.
  private static func foldedComplement(_ sum: UInt32) -> UInt16 {
    var folded = (sum & 0xffff) &+ (sum &>> 16)
    folded = (folded & 0xffff) &+ (folded &>> 16)
    return ~UInt16(truncatingIfNeeded: folded)
  }

  private mutating func add(memoryOrder piece: UInt64) {
    let placed = endsInsideWord ? (piece &<< 8) | (piece &>> 56) : piece
    accumulator = Self.addWithEndAroundCarry(accumulator, placed)
  }

  @inline(__always)
  static func addWithEndAroundCarry(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let (sum, overflow) = left.addingReportingOverflow(right)
    // After an overflow the sum is at most 2⁶⁴-2: the carry cannot overflow again.
    return sum &+ (overflow ? 1 : 0)
  }
}
