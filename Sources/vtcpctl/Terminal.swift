// SPDX-License-Identifier: Apache-2.0

import Administration
import Glibc
import Polling
import Timekeeping

/// Where the text goes: standard output for what was asked for, standard error for what is said about it.
enum Terminal {
  static let output: Int32 = 1

  /// Whether a person looks at it.
  static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

  /// Rows of the terminal; 24 if there is none.
  static var rows: Int {
    var size = winsize()
    guard ioctl(output, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0 else { return 24 }
    return Int(size.ws_row)
  }

  /// To standard error.
  static func tell(_ text: String) { write(text, to: 2) }

  /// What long work has come to: to standard error, on one line that is written over, and only if a person looks.
  static func progress(_ text: String) {
    guard isTerminal(2) else { return }
    tell("\r\u{1b}[K\(text)")
  }

  static func endProgress() { progress("") }

  static func lines(_ lines: [String]) throws(AdministrationError) {
    try put(Array(lines.map { $0 + "\n" }.joined().utf8), to: output, "standard output")
  }

  /// All of the octets, however long that takes.
  static func put(_ octets: [UInt8], to descriptor: Int32, _ name: String) throws(AdministrationError) {
    var sent = 0
    while sent < octets.count {
      let count = SystemCalls.write(octets[sent...], to: descriptor)
      guard count >= 0 else {
        if errno == EINTR { continue }
        // Who reads has seen enough.
        if errno == EPIPE { throw .failed("") }
        throw .failed("\(name): \(SystemError(call: "write", code: errno))")
      }
      sent += count
    }
  }

  /// A file to write to, made anew.
  static func file(_ path: String) throws(AdministrationError) -> OwnedDescriptor {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .failed("\(SystemError(call: "open \(path)", code: errno))") }
    return OwnedDescriptor(descriptor)
  }

  /// All of a file; `-`: standard input.
  static func contents(_ path: String) throws(AdministrationError) -> [UInt8] {
    let descriptor = path == "-" ? dup(0) : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .failed("\(SystemError(call: "open \(path)", code: errno))") }
    let file = OwnedDescriptor(descriptor)
    var octets: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = SystemCalls.read(file.rawValue, into: &piece)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .failed("\(SystemError(call: "read \(path)", code: errno))") }
      guard count > 0 else { return octets }
      octets += piece[..<count]
      guard octets.count <= 4 << 20 else { throw .failed("\(path): more than 4 MiB are not taken") }
    }
  }

  /// Waits; false: a signal came that ends the program.
  static func pause(seconds: Double, _ signals: SignalDescriptor) throws(AdministrationError) -> Bool {
    do throws(SystemError) {
      let poller = try Poller(maximumEvents: 1)
      try poller.add(signals.rawValue, .readable, token: 0)
      return poller.wait(timeout: .nanoseconds(Int64(seconds * 1e9))) == 0
    } catch {
      throw .failed("\(error)")
    }
  }

  private static func write(_ text: String, to descriptor: Int32) {
    try? put(Array(text.utf8), to: descriptor, "standard error")
  }
}
