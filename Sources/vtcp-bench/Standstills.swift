// SPDX-License-Identifier: Apache-2.0

import CBench
import Polling
import Timekeeping

/// `vtcp-bench standstills`: when one of this machine's processors ran nothing of this machine's, since the hypervisor below gave it to others.
/// Until it is ended by a signal it writes a line for each time: when it began and ended, in nanoseconds of CLOCK_MONOTONIC.
///
/// It sleeps a millisecond at a time and has its processor before all others. So it is late only if the processor stands still, and what is measured
/// beside it loses half a hundredth of the processor.
enum Standstills {
  private static let pause = Interval.milliseconds(1)
  /// Shorter ones are timers'.
  private static let least = Interval.microseconds(500)

  static func run(_ words: some Sequence<String>) throws {
    let arguments = try Arguments(words, options: ["--processor"])
    let processor = try arguments.number("--processor", in: 0...1023, default: 0)
    try SystemCalls.check("come first on processor \(processor)", vtcp_bench_come_first(Int32(processor)))
    Log.output("ready\n")
    var woken = MonotonicClock.now()
    while true {
      let due = woken + pause
      try SystemCalls.check("sleep", vtcp_bench_sleep_until(due.nanoseconds))
      woken = MonotonicClock.now()
      if woken - due >= least { Log.output("\(due.nanoseconds) \(woken.nanoseconds)\n") }
    }
  }
}
