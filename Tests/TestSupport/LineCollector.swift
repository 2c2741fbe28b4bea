// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc

/// Reads one output of a process to its end, on a thread of its own, so that the process never waits for us.
public final class LineCollector: @unchecked Sendable {
  // `condition` guards `octets` and `hasEnded`.
  private let condition = NSCondition()
  private var octets: [UInt8] = []
  private var hasEnded = false

  init(_ reader: Descriptor) {
    let thread = Thread { [weak self] in
      var part = [UInt8](repeating: 0, count: 4096)
      while true {
        let count = read(reader.number, &part, part.count)
        guard count > 0 else { break }
        self?.append(part.prefix(count))
      }
      self?.end()
    }
    thread.start()
  }

  private func append(_ part: ArraySlice<UInt8>) {
    condition.lock()
    octets += part
    condition.broadcast()
    condition.unlock()
  }

  private func end() {
    condition.lock()
    hasEnded = true
    condition.broadcast()
    condition.unlock()
  }

  /// Everything so far.
  public var text: String {
    condition.lock()
    defer { condition.unlock() }
    return String(decoding: octets, as: UTF8.self)
  }

  public var lines: [String] {
    text.split(separator: "\n").map(String.init)
  }

  /// All lines, once the process has closed this output.
  public func allLines(timeout: Double = 5) throws -> [String] {
    let limit = Date(timeIntervalSinceNow: timeout)
    condition.lock()
    defer { condition.unlock() }
    while !hasEnded {
      guard condition.wait(until: limit) else { throw TestFailure("the output has no end") }
    }
    return String(decoding: octets, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  /// Waits for a line that contains `words`; true if it came within `timeout` seconds.
  public func waitForLine(containing words: String, timeout: Double = 5) -> Bool {
    let limit = Date(timeIntervalSinceNow: timeout)
    condition.lock()
    defer { condition.unlock() }
    while !String(decoding: octets, as: UTF8.self).contains(words) {
      guard !hasEnded, condition.wait(until: limit) else { return false }
    }
    return true
  }
}
