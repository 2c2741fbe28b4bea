// SPDX-License-Identifier: Apache-2.0

import Polling

/// `vtcp-bench tables`: how long the tables of the arena take with a million flows, cold: each call is about another flow, in
/// random order, in memory that was touched before. Once one by one, and once in batches of 32 with prefetches, as the datapath has
/// frames.
enum ArenaTime {
  /// Nanoseconds a call may take in a batch: the promise of docs/performance.md.
  private static let bound = 100

  /// Returns whether lookup, arm and cancel are below the bound; or, where the machine needs longer than that for a single load from its memory
  /// (a guest beside busy others), below what one load takes: without its prefetches a lookup waits for more than one.
  static func run(_ words: some Sequence<String>) throws -> Bool {
    let arguments = try Arguments(words, options: ["--flows", "--at-most"])
    let flows = try arguments.number("--flows", in: 1_000...4_000_000, default: 1_000_000)
    let most = try arguments.number("--at-most", in: 1...1_000_000, default: bound)
    let tables = try FlowTables(flows: flows)
    Log.output(Table.row("\(flows) flows, ns a call", ["least", "median", "batch least", "batch median"]))
    var load = 0.0
    var slow: [String] = []
    for row in FlowTables.Row.allCases {
      let one = tables.measure(row, batch: 1)
      let batch = tables.measure(row, batch: 32)
      let figures = [one.least, one.median, batch.least, batch.median].map(Table.decimal)
      Log.output(Table.row(row.rawValue, figures))
      if row == .memory { load = one.median }
      if row.isBounded, batch.median > max(Double(most), load) { slow.append(row.rawValue) }
    }
    for row in slow { Log.output("\(row): more than \(most) ns, and more than a load from memory takes\n") }
    return slow.isEmpty
  }
}
