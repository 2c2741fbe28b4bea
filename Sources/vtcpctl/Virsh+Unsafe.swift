// SPDX-License-Identifier: Apache-2.0

import Administration
import Glibc
import Polling

/// libvirt's own command line, which knows how to reach it.
enum Virsh {
  /// What it prints; what went wrong it says itself.
  ///
  /// - Parameter input: what it reads: no more than a pipe holds at once.
  static func output(_ words: [String], input: [UInt8] = []) throws(AdministrationError) -> [UInt8] {
    guard let program = Host.program("virsh") else {
      throw .failed("virsh is not in PATH: apt install libvirt-clients")
    }
    let (process, reading) = try start(program, words, input)
    var octets: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = SystemCalls.read(reading.rawValue, into: &piece)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { break }
      if octets.count <= 4 << 20 { octets += piece[..<count] }
    }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
    // It has said why itself.
    guard status == 0 else { throw .failed("virsh \(words.joined(separator: " ")) has failed") }
    return octets
  }

  /// Starts the program. Of what it writes to only the other end is left here, so that reading ends when the program does.
  ///
  /// SAFETY: the words are copied for the length of the call (`strdup`) and freed after it.
  private static func start(
    _ program: String, _ words: [String], _ input: [UInt8]
  ) throws(AdministrationError) -> (pid_t, OwnedDescriptor) {
    let (reading, writing) = try ends()
    let source = try filled(input)
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, writing.rawValue, 1)
    posix_spawn_file_actions_adddup2(&actions, source.rawValue, 0)
    var arguments: [UnsafeMutablePointer<CChar>?] = ([program] + words).map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var process: pid_t = 0
    let code = posix_spawn(&process, program, &actions, nil, &arguments, environ)
    guard code == 0 else { throw .failed("\(SystemError(call: "run \(program)", code: code))") }
    return (process, reading)
  }

  /// A pipe with the octets in it, and nothing behind them.
  private static func filled(_ octets: [UInt8]) throws(AdministrationError) -> OwnedDescriptor {
    let (reading, writing) = try ends()
    try Terminal.put(octets, to: writing.rawValue, "virsh")
    return reading
  }

  /// Both ends of a pipe, the one to read first, which no other program gets.
  private static func ends() throws(AdministrationError) -> (OwnedDescriptor, OwnedDescriptor) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw .failed("\(SystemError(call: "pipe", code: errno))") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (OwnedDescriptor(ends[0]), OwnedDescriptor(ends[1]))
  }
}
