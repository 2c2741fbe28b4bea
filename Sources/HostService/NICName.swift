// SPDX-License-Identifier: Apache-2.0

import ControlProtocol

/// What a NIC is called: its socket is `NAME.sock`, and so its name is one of a file and no more.
public struct NICName: Hashable, Comparable, Sendable, CustomStringConvertible {
  public static let longest = 64

  public let text: String

  public init(_ text: String) throws(ServiceError) {
    guard !text.isEmpty else { throw ServiceError(.mistaken, "a NIC's name is not empty") }
    guard text.utf8.count <= Self.longest else {
      throw ServiceError(.mistaken, "a NIC's name has at most \(Self.longest) octets")
    }
    guard text.utf8.allSatisfy(Self.mayStand), let first = text.utf8.first, !".-".utf8.contains(first) else {
      throw ServiceError(
        .mistaken, "a NIC's name has letters, digits, '_', '-' and '.', and begins with none of the last two")
    }
    self.text = text
  }

  public static func < (left: NICName, right: NICName) -> Bool { left.text < right.text }

  public var description: String { text }

  private static func mayStand(_ octet: UInt8) -> Bool {
    switch octet {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "_-.".utf8.contains(octet)
    }
  }
}
