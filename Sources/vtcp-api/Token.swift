// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What a caller over TCP has to know (RFC 6750).
struct Token: Sendable {
  /// Fewer octets could be guessed.
  private static let shortest = 16
  private static let longest = 4096

  private let octets: [UInt8]

  /// The first line of a file that nobody but its owner may read.
  init(file: String) throws {
    var status = stat()
    guard stat(file, &status) == 0 else {
      throw APIOptionsError("--token-file: \(file) can't be read: \(String(cString: strerror(errno)))")
    }
    guard status.st_mode & 0o077 == 0 else {
      throw APIOptionsError("--token-file: others may read \(file); chmod 600 \(file)")
    }
    guard let data = FileManager.default.contents(atPath: file) else {
      throw APIOptionsError(
        "--token-file: \(file) can't be read; it has to belong to the user that this program runs as")
    }
    let line = Array(data.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") })
    guard (Self.shortest...Self.longest).contains(line.count), line.allSatisfy({ (0x21...0x7e).contains($0) }) else {
      throw APIOptionsError(
        "--token-file: the first line of \(file) is to have \(Self.shortest) or more printable characters and no space; "
          + "make one by: openssl rand -hex 32")
    }
    octets = line
  }

  /// Whether that is the value of a right `Authorization`. It takes as long whatever is wrong with it.
  func admits(_ authorization: String?) -> Bool {
    let words = (authorization ?? "").split(separator: " ", maxSplits: 1)
    guard words.count == 2, words[0].lowercased() == "bearer" else { return false }
    let said = Array(words[1].utf8)
    guard said.count == octets.count else { return false }
    return zip(said, octets).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
  }
}
