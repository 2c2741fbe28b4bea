// SPDX-License-Identifier: Apache-2.0

import Administration

/// A policy that is handed over, and what is said of it.
enum PolicyText {
  /// What vtcpd calls a text that comes without a name.
  private static let unnamed = "policy.yaml:"

  /// Mistakes of what is asked in the file's own name, so that an editor finds the place.
  static func ofFile<Answer>(
    _ file: String, _ body: () throws(AdministrationError) -> Answer
  ) throws(AdministrationError) -> Answer {
    do throws(AdministrationError) {
      return try body()
    } catch .failed(let text) {
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
        line.hasPrefix(unnamed) ? "\(file):\(line.dropFirst(unnamed.count))" : String(line)
      }
      throw .failed(lines.joined(separator: "\n"))
    } catch {
      throw error
    }
  }
}
