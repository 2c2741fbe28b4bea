// SPDX-License-Identifier: Apache-2.0

/// A name, or a pattern for names: `*` stands for anything, `?` for one character.
struct NamePattern: Hashable, Sendable {
  let text: String
  private let octets: [UInt8]

  private static let star = UInt8(ascii: "*")
  private static let mark = UInt8(ascii: "?")

  init(_ text: String) {
    self.text = text
    octets = Array(text.utf8)
  }

  /// In time of the product of both lengths at the most: the last star is the only one to come back to.
  func matches(_ name: String) -> Bool {
    let name = Array(name.utf8)
    var (place, at) = (0, 0)
    var retry: (place: Int, at: Int)?
    while at < name.count {
      if place < octets.count, octets[place] == Self.star {
        retry = (place, at)
        place += 1
      } else if place < octets.count, octets[place] == Self.mark || octets[place] == name[at] {
        (place, at) = (place + 1, at + 1)
      } else if let last = retry {
        retry = (last.place, last.at + 1)
        (place, at) = (last.place + 1, last.at + 1)
      } else {
        return false
      }
    }
    return octets[place...].allSatisfy { $0 == Self.star }
  }

  /// Whether it is known to match all that the other does. No is also the answer where it is hard to say.
  func covers(_ other: NamePattern) -> Bool {
    if self == other { return true }
    // A question mark does not stand for a star.
    guard !octets.contains(Self.mark) || !other.octets.contains(Self.star) else { return false }
    return matches(other.text)
  }
}
