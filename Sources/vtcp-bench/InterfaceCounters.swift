// SPDX-License-Identifier: Apache-2.0

import Memory

/// What an interface of this process's network namespace has received.
struct InterfaceCounters {
  let packets: Int
  let bytes: Int

  /// From the kernel's table, where a line is "NAME: bytes packets ...".
  static func read(_ name: String) throws -> InterfaceCounters {
    let buffer = ByteRegion.allocate(count: 65_536)
    defer { buffer.deallocate() }
    let count = SystemCalls.readFile("/proc/self/net/dev", into: buffer)
    let table = String(decoding: buffer.bytes.prefix(max(count, 0)), as: UTF8.self)
    for line in table.split(separator: "\n") {
      let words = line.split { $0 == " " || $0 == ":" }
      guard words.count > 2, words[0] == name, let bytes = Int(words[1]), let packets = Int(words[2]) else { continue }
      return InterfaceCounters(packets: packets, bytes: bytes)
    }
    throw BenchError("there is no interface \(name)")
  }
}
