// SPDX-License-Identifier: Apache-2.0
import Foundation
import PolicyLanguage
import Testing

/// Good policies: `Compiled/NAME.yaml`, and that of the documentation.
enum Sample {
  private static let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  private static let repository = tests.deletingLastPathComponent().deletingLastPathComponent()

  static func text(_ name: String) throws -> String {
    let file =
      name == "sample"
      ? repository.appendingPathComponent("docs/policy.yaml") : tests.appendingPathComponent("Compiled/\(name)")
    return try String(contentsOf: file, encoding: .utf8)
  }

  static func documentation(_ name: String) throws -> String {
    try String(contentsOf: repository.appendingPathComponent("docs/\(name)"), encoding: .utf8)
  }

  /// The document of a text that has no mistakes.
  static func document(_ text: String) throws -> PolicyDocument {
    let reading = PolicyDocument.load([PolicySource("policy.yaml", text)])
    #expect(reading.mistakes == [])
    return try #require(reading.document)
  }

  /// The same with the version in front.
  static func policy(_ text: String) throws -> PolicyDocument { try document("apiVersion: vtcp/v1\n" + text) }
}
