// SPDX-License-Identifier: Apache-2.0
import Foundation
import FuzzTargets
import Testing

/// The inputs in the tree.
enum Corpus {
  struct Input: Sendable, CustomTestStringConvertible, CustomStringConvertible {
    let target: FuzzTarget
    let url: URL

    var description: String { "\(target.rawValue)/\(url.lastPathComponent)" }
    var testDescription: String { description }
  }

  static func inputs(of target: FuzzTarget) throws -> [Input] {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Corpora/\(target.rawValue)")
    return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
      .sorted { $0.lastPathComponent < $1.lastPathComponent }
      .map { Input(target: target, url: $0) }
  }

  static func findings(of target: FuzzTarget) -> [Input] {
    ((try? inputs(of: target)) ?? []).filter { $0.url.lastPathComponent.hasPrefix("found-") }
  }
}
