// SPDX-License-Identifier: Apache-2.0

import TCPPolicy

/// What somebody may have meant who wrote a command that there is not.
public enum SubcommandHint {
  /// A command and what may follow it.
  public indirect enum Tree: Sendable {
    case command(String, [Tree])

    var name: String {
      switch self {
      case .command(let name, _): name
      }
    }

    var rest: [Tree] {
      switch self {
      case .command(_, let rest): rest
      }
    }
  }

  /// The sentence; nil: the words are not to blame, or nothing is near.
  public static func sentence(_ words: [String], _ commands: [Tree]) -> String? {
    var known = commands
    var before: [String] = []
    for word in words {
      guard !word.hasPrefix("-"), !known.isEmpty else { return nil }
      if let next = known.first(where: { $0.name == word }) {
        before.append(word)
        known = next.rest
        continue
      }
      guard let near = NearestWord.of(word, in: known.map(\.name) + (before.isEmpty ? ["help"] : [])) else {
        return nil
      }
      return
        "there is no command '\((before + [word]).joined(separator: " "))'; did you mean '\((before + [near]).joined(separator: " "))'?"
    }
    return nil
  }
}
