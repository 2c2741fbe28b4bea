// SPDX-License-Identifier: Apache-2.0

import CBench
import Memory
import Polling
import Timekeeping
import Virtio

/// `vtcp-bench generate`: a driver without a stack behind it, to see what a back-end can do for small packets.
///
/// Transmit: every buffer holds a frame from the beginning, and is made available again as soon as it comes back.
/// Receive: buffers are offered, what arrives is counted and its buffer offered again. With `--poll` interrupts are
/// refused and the used ring is looked at without end, and transmission goes on in bursts of 32, as DPDK's virtio-user
/// does; without, the driver sleeps until
/// half of the ring is used (transmit) or something has arrived (receive).
final class Generator {
  private static let batch = 32
  /// When polling: looks at a ring in a turn, and turns between two looks at the clock.
  private static let roundsPerTurn = 32
  private static let turnsPerLook = 32

  private let session: DriverSession
  private let pumps: [GeneratorPump]
  private let polls: Bool
  /// When polling: buffers that must have come back before some are made available again.
  private let leastBatch: Int
  private let duration: Interval
  private let poller: Poller
  private var interrupts: UInt64 = 0
  private var wakeups: UInt64 = 0
  private var isEnding = false

  static func run(_ words: some Sequence<String>) throws {
    let arguments = try Arguments(
      words, options: DriverSettings.options.union(["--direction", "--size"]),
      switches: DriverSettings.switches.union(["--poll"]))
    try Generator(arguments).run()
  }

  private init(_ arguments: Arguments) throws {
    let settings = try DriverSettings(arguments)
    let direction = try arguments.required("--direction")
    guard ["transmit", "receive"].contains(direction) else {
      throw BenchError("--direction is transmit or receive, not \(direction)")
    }
    let isTransmitting = direction == "transmit"
    let size = try arguments.number("--size", in: 60...65_000, default: 60)
    polls = arguments.isOn("--poll")
    leastBatch = isTransmitting ? min(Self.batch, settings.ringSize / 4) : 1
    duration = Interval(nanoseconds: Int64((try arguments.seconds("--seconds") ?? 2) * 1e9))
    let shape = FrameSlots.Shape.one(isTransmitting ? 12 + size : max(12 + 18 + size, 2048))
    session = try DriverSession(try BackEndConnection.open(arguments), settings) { _ in
      FrameSlots.byteCount(shape, count: settings.ringSize)
    }
    let session = session
    pumps = try session.queues.filter { ($0.index % 2 == 1) == isTransmitting }.map { queue in
      let slots = try FrameSlots(
        shape, count: settings.ringSize, isWritable: !isTransmitting, in: session.area)
      if isTransmitting { FlowFrame.fill(slots, count: settings.ringSize, size: size) }
      return GeneratorPump(
        kick: queue.kick.rawValue, ring: queue.ring, slots: slots,
        isMerged: session.features.contains(.mergeableReceiveBuffers), length: slots.capacity)
    }
    poller = try Poller(maximumEvents: 64)
    try poller.add(session.connection.socket.rawValue, .readable, token: 0)
    for queue in session.queues { try poller.add(queue.call.rawValue, [.readable, .edgeTriggered], token: 1) }
  }

  private func run() throws {
    for pump in pumps where polls { pump.refuseInterrupts() }
    try session.start()
    Log.output("ready\n")
    let start = MonotonicClock.now()
    let processorStart = vtcp_bench_processor_time()
    while MonotonicClock.now() - start < duration, !isEnding {
      if polls {
        for _ in 0..<Self.turnsPerLook { _ = work(rounds: Self.roundsPerTurn, atLeast: leastBatch) }
        handle(poller.wait(timeout: .zero))
      } else if !work(rounds: 1, atLeast: 1) {
        sleep(until: start + duration)
      }
    }
    let processorTime = vtcp_bench_processor_time() - processorStart
    report(seconds: Double((MonotonicClock.now() - start).nanoseconds) / 1e9, Double(processorTime) / 1e9)
  }

  /// One turn of all queues. True if there is more to do.
  private func work(rounds: Int, atLeast least: Int) -> Bool {
    var isBusy = false
    for pump in pumps where pump.run(rounds: rounds, atLeast: least, budget: Self.batch) { isBusy = true }
    return isBusy
  }

  private func sleep(until end: Instant) {
    for pump in pumps where !pump.wantInterrupt() { return }
    handle(poller.wait(timeout: max(end - MonotonicClock.now(), .zero)))
    wakeups &+= 1
    for pump in pumps { pump.refuseInterrupts() }
  }

  private func handle(_ count: Int) {
    for index in 0..<count {
      switch poller.event(index).token {
      case 0: isEnding = !session.connection.isOpen()
      default: interrupts &+= 1
      }
    }
  }

  private func report(seconds: Double, _ processorSeconds: Double) {
    let packets = pumps.reduce(0) { $0 + $1.frames }
    var line = JSONLine()
    line.add("packets", packets)
    line.add("bytes", pumps.reduce(0) { $0 + $1.bytes })
    line.add("seconds", seconds)
    line.add("packets_per_second", Double(packets) / seconds)
    line.add("kicks", pumps.reduce(0) { $0 + $1.kicks })
    line.add("interrupts", interrupts)
    line.add("wakeups", wakeups)
    line.add("cpu_seconds", processorSeconds)
    line.add("features", "0x" + String(session.features.rawValue, radix: 16))
    line.print()
  }
}
