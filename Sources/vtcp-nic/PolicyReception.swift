// SPDX-License-Identifier: Apache-2.0

import TCPPolicy

/// The text of a policy that comes in pieces.
struct PolicyReception {
  private var parser: PolicyTextParser
  /// The line that has no end yet; of one that is too long no more than shows it.
  private var line: [UInt8] = []
  /// Octets that are still to come.
  private(set) var missing: Int

  init(byteCount: Int, fallback: FlowConfiguration) {
    parser = PolicyTextParser(fallback: fallback)
    missing = byteCount
  }

  /// Takes the next octets; those beyond the text are nobody's.
  mutating func take(_ octets: some Collection<UInt8>) {
    for octet in octets.prefix(missing) {
      if octet == UInt8(ascii: "\n") {
        endLine()
      } else if line.count <= PolicyTextParser.longestLine {
        line.append(octet)
      }
    }
    missing -= min(missing, octets.count)
    if missing == 0, !line.isEmpty { endLine() }
  }

  /// What all of it says, once nothing is missing.
  func finish() throws(PolicyTextErrors) -> Classifier { try parser.finish() }

  private mutating func endLine() {
    parser.read(line: Substring(decoding: line, as: UTF8.self))
    line.removeAll(keepingCapacity: true)
  }
}
