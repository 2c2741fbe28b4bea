// SPDX-License-Identifier: Apache-2.0
import Testing

/// A system call of x86-64 to be tried.
struct SystemCall: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let number: Int64
  var arguments: [Int64] = []
  var text: String?
  var textArgument = 0

  init(_ name: String, _ number: Int64, _ arguments: [Int64] = [], text: String? = nil, at textArgument: Int = 0) {
    testDescription = name
    self.number = number
    self.arguments = arguments
    self.text = text
    self.textArgument = textArgument
  }

  /// What a NIC has no use for.
  static let forbidden: [SystemCall] = [
    SystemCall("open a file", 2, text: "/etc/passwd"),
    SystemCall("openat a file", 257, [-100, 0], text: "/etc/passwd", at: 1),
    SystemCall("a socket of IPv4", 41, [2, 2]),
    SystemCall("a socket of rtnetlink", 41, [16, 3]),
    SystemCall("a packet socket", 41, [17, 3]),
    SystemCall("connect", 42),
    SystemCall("bind", 49),
    SystemCall("send to an address", 44),
    SystemCall("execute a program", 59, text: "/bin/sh"),
    SystemCall("fork", 57),
    SystemCall("clone", 56, [17]),
    SystemCall("clone3", 435),
    SystemCall("trace", 101),
    SystemCall("kill", 62, [1, 0]),
    SystemCall("read another's memory", 310),
    SystemCall("mount", 165, text: "/"),
    SystemCall("unshare", 272, [0x1000_0000]),
    SystemCall("setuid", 105),
    SystemCall("prctl", 157, [4]),
    SystemCall("executable memory", 9, [0, 4096, 7, 0x22, -1]),
    SystemCall("memory made executable", 10, [0, 4096, 5]),
    SystemCall("an ioctl of terminals (TIOCSTI)", 16, [0, 0x5412]),
    SystemCall("another TAP (TUNSETIFF)", 16, [3, 0x4004_54ca]),
    SystemCall("a copy of a descriptor (F_DUPFD)", 72, [0, 0]),
    SystemCall("io_uring", 425),
    SystemCall("bpf", 321),
    SystemCall("userfaultfd", 323),
    SystemCall("keyctl", 250),
    SystemCall("a path's status", 262, [-100, 0, 0, 0], text: "/etc/passwd", at: 1),
    SystemCall("a call of x32", 0x4000_0000),
  ]
}
