// SPDX-License-Identifier: Apache-2.0

/// Why what was read is no pcapng that can be gone on with.
public enum PcapngError: Error, Equatable, Sendable, CustomStringConvertible {
  /// It does not begin with a section header.
  case notPcapng
  /// Written on a machine of the other byte order.
  case otherByteOrder
  /// A block has a length that it can't have, or one that is more than is taken.
  case badLength(UInt32)
  /// A block is too short for its fields, or they name what is not in it.
  case badBlock(type: UInt32)
  /// Another interface than those that were described.
  case noSuchInterface(UInt32)

  public var description: String {
    switch self {
    case .notPcapng: "it is no pcapng: it does not begin with a section header"
    case .otherByteOrder: "it was written on a machine of the other byte order"
    case .badLength(let length): "a block says that it has \(length) octets, which can't be"
    case .badBlock(let type): "a block of type \(type) is not whole"
    case .noSuchInterface(let number): "a packet is of interface \(number), which was not described"
    }
  }
}
