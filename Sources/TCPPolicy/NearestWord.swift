// SPDX-License-Identifier: Apache-2.0

/// What somebody may have meant who wrote a word that there is not.
public enum NearestWord {
  /// The word that takes the fewest changes of a letter, if that is three at most.
  public static func of(_ word: some StringProtocol, in known: some Sequence<String>) -> String? {
    // Nobody means a word by one that is much longer than all.
    guard word.utf8.prefix(65).count <= 64 else { return nil }
    let distances = known.map { (word: $0, distance: distance($0, word)) }
    guard let near = distances.min(by: { $0.distance < $1.distance }), near.distance <= 3 else { return nil }
    return near.word
  }

  /// Insertions, deletions and replacements that make one word of the other (Levenshtein).
  private static func distance(_ left: String, _ right: some StringProtocol) -> Int {
    var row = Array(0...right.count)
    for (i, a) in left.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, b) in right.enumerated() {
        let above = row[j + 1]
        row[j + 1] = min(min(above, row[j]) + 1, diagonal + (a == b ? 0 : 1))
        diagonal = above
      }
    }
    return row[right.count]
  }
}
