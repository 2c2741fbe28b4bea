// SPDX-License-Identifier: Apache-2.0
import CTestSupport
import Foundation

/// The thread on which inputs are replayed: it has descriptors of its own, so that one that was left can be told from
/// one that another test has opened meanwhile in the same process.
final class ReplayThread: @unchecked Sendable {
  static let shared = ReplayThread()

  private let condition = NSCondition()
  private var work: (@Sendable () throws -> Void)?
  private var finding: String?

  private init() {
    let thread = Thread { [unowned self] in
      guard test_own_descriptors() == 0 else { preconditionFailure("no table of descriptors of its own") }
      while true { serve() }
    }
    thread.stackSize = 8 << 20
    thread.start()
  }

  /// Does `work` there, and returns what it threw in words.
  func run(_ work: @escaping @Sendable () throws -> Void) -> String? {
    condition.lock()
    defer { condition.unlock() }
    self.work = work
    condition.broadcast()
    while self.work != nil { condition.wait() }
    return finding
  }

  private func serve() {
    condition.lock()
    defer { condition.unlock() }
    while work == nil { condition.wait() }
    do {
      try work?()
      finding = nil
    } catch {
      finding = "\(error)"
    }
    work = nil
    condition.broadcast()
  }
}
