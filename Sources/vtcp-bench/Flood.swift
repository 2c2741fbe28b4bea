// SPDX-License-Identifier: Apache-2.0

import CBench
import Memory
import Polling
import Timekeeping

/// `vtcp-bench flood` and `vtcp-bench sink`: frames into an interface as fast as the kernel takes them, and what an
/// interface has received.
enum Flood {
  private static let batch = 64

  static func run(_ words: some Sequence<String>) throws {
    let arguments = try Arguments(words, options: ["--interface", "--size", "--seconds"])
    let name = try arguments.required("--interface")
    let size = try arguments.number("--size", in: 60...9000, default: 60)
    let duration = Interval(nanoseconds: Int64((try arguments.seconds("--seconds") ?? 2) * 1e9))
    let socket = OwnedDescriptor(
      try SystemCalls.check("a packet socket on \(name)", vtcp_bench_packet_socket(name)))
    let frames = ByteRegion.allocate(count: batch * size)
    defer { frames.deallocate() }
    for index in 0..<batch {
      FlowFrame.write(to: frames.slice(from: index * size, count: size), size: size, flow: index % 8)
    }
    Log.output("ready\n")
    var packets = 0
    var refused = 0
    let start = MonotonicClock.now()
    let processorStart = vtcp_bench_processor_time()
    while MonotonicClock.now() - start < duration {
      let sent = SystemCalls.sendPackets(socket.rawValue, frames, size: size, stride: size, count: batch)
      // ENOBUFS: the interface's queue was full and took none of them.
      if sent > 0 { packets += sent } else { refused += 1 }
    }
    let processorTime = vtcp_bench_processor_time() - processorStart
    report(packets, size * packets, refused: refused, start: start, processorTime)
  }

  /// Counts for a time what the interface receives.
  static func sink(_ words: some Sequence<String>) throws {
    let arguments = try Arguments(words, options: ["--interface", "--seconds"])
    let name = try arguments.required("--interface")
    let duration = Interval(nanoseconds: Int64((try arguments.seconds("--seconds") ?? 2) * 1e9))
    let pause = try TimerDescriptor()
    let poller = try Poller(maximumEvents: 1)
    try poller.add(pause.rawValue, .readable, token: 0)
    let start = MonotonicClock.now()
    let before = try InterfaceCounters.read(name)
    Log.output("ready\n")
    pause.arm(after: duration)
    while poller.wait(timeout: nil) == 0 {}
    let after = try InterfaceCounters.read(name)
    report(
      after.packets - before.packets, after.bytes - before.bytes, refused: 0, start: start,
      vtcp_bench_processor_time())
  }

  private static func report(_ packets: Int, _ bytes: Int, refused: Int, start: Instant, _ processorTime: Int64) {
    let seconds = Double((MonotonicClock.now() - start).nanoseconds) / 1e9
    var line = JSONLine()
    line.add("packets", packets)
    line.add("bytes", bytes)
    line.add("refused", refused)
    line.add("seconds", seconds)
    line.add("packets_per_second", Double(packets) / seconds)
    line.add("cpu_seconds", Double(processorTime) / 1e9)
    line.print()
  }
}
