// SPDX-License-Identifier: Apache-2.0
import CTestSupport
import Foundation
import Glibc

/// A running `vtcp-nic`, seen from outside. It never outlives this object, nor the test process.
public final class NICProcess {
  public enum Ending: Equatable, Sendable {
    case exited(Int32)
    case signalled(Int32)
  }

  public let identifier: Int32
  public let output: LineCollector
  public let errors: LineCollector
  public private(set) var ending: Ending?
  /// Where it listens, to be tidied up.
  private let socketPath: String?

  /// Starts the program with `arguments`; it inherits `descriptors` under their own numbers.
  ///
  /// - Parameters:
  ///   - launcher: a program and its arguments that replaces itself with the program named by the rest.
  ///   - refusedCalls: numbers of system calls that the kernel is to refuse.
  public init(
    _ arguments: [String], inheriting descriptors: [Descriptor] = [], launcher: [String] = [],
    refusedCalls: [Int32] = []
  ) throws {
    let program = launcher + [try NICProcess.path()]
    let arguments = arguments + Self.optionsOfAll
    let path = program[0]
    let option = "--socket-path="
    socketPath = arguments.first { $0.hasPrefix(option) }.map { String($0.dropFirst(option.count)) }
    let (outputReader, outputWriter) = try Descriptor.pipe()
    let (errorReader, errorWriter) = try Descriptor.pipe()
    output = LineCollector(outputReader)
    errors = LineCollector(errorReader)
    var strings = (program + arguments).map { strdup($0) } + [nil]
    defer { for string in strings { Glibc.free(string) } }
    let numbers = descriptors.map(\.number)
    identifier = withExtendedLifetime(descriptors) {
      test_spawn(
        path, &strings, numbers, numbers.count, outputWriter.number, errorWriter.number,
        refusedCalls, refusedCalls.count)
    }
    guard identifier > 0 else { throw TestFailure("fork: errno \(errno)") }
  }

  /// Starts the program with `named` descriptors as sd_listen_fds(3) has them, and where it finds its manager.
  public init(_ arguments: [String], store: DescriptorStore) throws {
    let path = try NICProcess.path()
    // It is there for the next process.
    socketPath = nil
    let (outputReader, outputWriter) = try Descriptor.pipe()
    let (errorReader, errorWriter) = try Descriptor.pipe()
    output = LineCollector(outputReader)
    errors = LineCollector(errorReader)
    let named = store.kept
    var words = ([path] + arguments + Self.optionsOfAll).map { strdup($0) } + [nil]
    let texts = [
      "NOTIFY_SOCKET=@\(store.name)", "LISTEN_FDS=\(named.count)",
      "LISTEN_FDNAMES=\(named.map(\.name).joined(separator: ":"))",
    ]
    var variables = texts.map { strdup($0) } + [nil]
    defer { for string in words + variables { Glibc.free(string) } }
    let numbers = named.map(\.descriptor.number)
    identifier = withExtendedLifetime(named) {
      test_spawn_named(
        path, &words, &variables, numbers, numbers.count, outputWriter.number, errorWriter.number)
    }
    guard identifier > 0 else { throw TestFailure("fork: errno \(errno)") }
  }

  deinit {
    kill()
    if let socketPath { unlink(socketPath) }
  }

  /// `VTCP_NIC_OPTIONS`: what else every program under test is given. What instruments it, a sanitizer or a coverage
  /// profile, needs system calls of its own.
  private static let optionsOfAll = (ProcessInfo.processInfo.environment["VTCP_NIC_OPTIONS"] ?? "")
    .split(separator: " ").map(String.init)

  /// False with `VTCP_NIC_OPTIONS=--sandbox=off`.
  public static var isConfined: Bool { !optionsOfAll.contains("--sandbox=off") }

  /// `VTCP_SANITIZER`: the program was built with that sanitizer, which keeps memory of its own for what happens.
  public static let isSanitized = ProcessInfo.processInfo.environment["VTCP_SANITIZER"] != nil

  /// `VTCP_NIC`, or the program beside the test bundle.
  public static func path() throws -> String {
    if let path = ProcessInfo.processInfo.environment["VTCP_NIC"] { return path }
    var directory = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    for _ in 0..<4 {
      let candidate = directory.appendingPathComponent("vtcp-nic").path
      if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
      directory.deleteLastPathComponent()
    }
    throw TestFailure("vtcp-nic is not beside the tests; build it, or set VTCP_NIC")
  }

  public var isRunning: Bool { wait(timeout: 0) == nil }

  /// How it ended, or nil if it still runs after `timeout` seconds.
  @discardableResult
  public func wait(timeout: Double = 5) -> Ending? {
    if let ending { return ending }
    var status: Int32 = 0
    guard test_wait(identifier, Int32(timeout * 1000), &status) == 1 else { return nil }
    ending = status & 0x7f == 0 ? .exited(status >> 8 & 0xff) : .signalled(status & 0x7f)
    return ending
  }

  public func signal(_ number: Int32) {
    guard ending == nil else { return }
    Glibc.kill(identifier, number)
  }

  /// No descriptor of a number from `limit` on can be opened from here on.
  public func limitDescriptors(_ limit: Int) throws {
    guard test_limit_descriptors(identifier, UInt64(limit)) == 0 else { throw TestFailure("prlimit: errno \(errno)") }
  }

  /// kill -9, and the end awaited.
  public func kill() {
    signal(SIGKILL)
    wait()
  }

  /// Ends it as a supervisor does. Throws when it crashed before, or ends otherwise than with status 0.
  public func end() throws {
    let before = wait(timeout: 0)
    signal(SIGTERM)
    guard wait() == .exited(0), before == nil else {
      let how = ending.map { "\($0)" } ?? "not at all"
      kill()
      throw TestFailure("vtcp-nic ended \(before == nil ? "" : "before SIGTERM "): \(how)\n\(errors.text)")
    }
  }
}
