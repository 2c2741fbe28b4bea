// SPDX-License-Identifier: Apache-2.0

import CBench
import Memory
import Polling
import Timekeeping
import Virtio

/// `vtcp-bench front-end`: plays QEMU and a guest. The guest's TCP stack is the kernel's, behind a TAP in a network
/// namespace; this program is the guest's driver and the front-end of any vhost-user back-end.
///
/// One thread. It sleeps in epoll; awake it goes from queue to queue with a budget for each, and sleeps when the rings
/// and the TAP are empty. Everything that it does is done for every back-end in the same way, so that what it costs
/// is the same for all that are compared.
final class FrontEnd {
  private static let budget = 64

  private enum Token {
    static let connection: UInt64 = 1 << 32
    static let signals: UInt64 = 2 << 32
    static let timer: UInt64 = 3 << 32
    static let tap: UInt64 = 4 << 32
    static let call: UInt64 = 5 << 32
    static let mask: UInt64 = 0xffff_ffff << 32
  }

  private let session: DriverSession
  private let taps: [OwnedDescriptor]
  private let receive: [ReceivePump]
  private let transmit: [TransmitPump]
  private let poller: Poller
  private let signals: SignalDescriptor
  private let timer: TimerDescriptor
  private let seconds: Double?
  private var isEnding = false
  private var wakeups: UInt64 = 0
  private var interrupts: UInt64 = 0

  static func run(_ words: some Sequence<String>) throws {
    let arguments = try Arguments(
      words, options: DriverSettings.options.union(["--tap"]), switches: DriverSettings.switches)
    try FrontEnd(arguments).run()
  }

  private init(_ arguments: Arguments) throws {
    let settings = try DriverSettings(arguments)
    let name = try arguments.required("--tap")
    seconds = try arguments.seconds("--seconds")
    signals = try SignalDescriptor()
    timer = try TimerDescriptor()
    let mtu = Int(try SystemCalls.check("the MTU of \(name)", vtcp_bench_interface_mtu(name)))
    session = try DriverSession(try BackEndConnection.open(arguments), settings) { features in
      max(
        FrameSlots.byteCount(Self.receiveShape(features, mtu: mtu), count: settings.ringSize),
        FrameSlots.byteCount(Self.transmitShape(features, mtu: mtu), count: settings.ringSize))
    }
    let features = session.features
    let taps = try TapQueue.open(name, queues: settings.queuePairs, features: features)
    let session = session
    self.taps = taps
    receive = try taps.indices.map { pair in
      let queue = session.queues[2 * pair]
      let slots = try FrameSlots(
        Self.receiveShape(features, mtu: mtu), count: settings.ringSize, isWritable: true, in: session.area)
      return ReceivePump(
        tap: taps[pair].rawValue, kick: queue.kick.rawValue, ring: queue.ring, slots: slots,
        isMerged: features.contains(.mergeableReceiveBuffers))
    }
    transmit = try taps.indices.map { pair in
      let queue = session.queues[2 * pair + 1]
      let slots = try FrameSlots(
        Self.transmitShape(features, mtu: mtu), count: settings.ringSize, isWritable: false, in: session.area)
      return TransmitPump(tap: taps[pair].rawValue, kick: queue.kick.rawValue, ring: queue.ring, slots: slots)
    }
    poller = try Poller(maximumEvents: 64)
    try watch()
  }

  /// Linux: pages for large frames, else what one frame needs; with `VIRTIO_NET_F_MRG_RXBUF` one page of each frame.
  private static func receiveShape(_ features: VirtioFeatures, mtu: Int) -> FrameSlots.Shape {
    let isLarge = !features.isDisjoint(with: .guestSegmentation)
    if features.contains(.mergeableReceiveBuffers) { return .one(isLarge ? 4096 : 1536) }
    guard isLarge else { return .one(FrameSlots.length(mtu: mtu)) }
    return features.contains(.indirectDescriptors) ? .pages : .one(FrameSlots.longest)
  }

  /// Linux: a stack without checksum offload hands down linear buffers.
  private static func transmitShape(_ features: VirtioFeatures, mtu: Int) -> FrameSlots.Shape {
    if features.isSuperset(of: [.checksum, .indirectDescriptors]) { return .pages }
    return features.isDisjoint(with: [.hostTSO4, .hostTSO6, .hostUSO])
      ? .one(FrameSlots.length(mtu: mtu)) : .one(FrameSlots.longest)
  }

  private func watch() throws {
    try poller.add(session.connection.socket.rawValue, .readable, token: Token.connection)
    try poller.add(signals.rawValue, .readable, token: Token.signals)
    try poller.add(timer.rawValue, .readable, token: Token.timer)
    for pair in taps.indices {
      try poller.add(taps[pair].rawValue, [.readable, .edgeTriggered], token: Token.tap | UInt64(pair))
    }
    for queue in session.queues {
      try poller.add(queue.call.rawValue, [.readable, .edgeTriggered], token: Token.call | UInt64(queue.index))
    }
  }
}

// MARK: - The loop

extension FrontEnd {
  private func run() throws {
    try session.start()
    Log.output("ready\n")
    let start = MonotonicClock.now()
    let processorStart = vtcp_bench_processor_time()
    if let seconds { timer.arm(after: Interval(nanoseconds: Int64(seconds * 1e9))) }
    while !isEnding {
      if work() {
        handle(poller.wait(timeout: .zero))
      } else if prepareToSleep() {
        handle(poller.wait(timeout: nil))
        wakeups &+= 1
        for pump in receive { pump.refuseInterrupts() }
      }
    }
    let processorTime = vtcp_bench_processor_time() - processorStart
    report(
      seconds: Double((MonotonicClock.now() - start).nanoseconds) / 1e9, processorSeconds: Double(processorTime) / 1e9)
  }

  /// One turn of all queues. True if there may be more to do.
  private func work() -> Bool {
    var isBusy = false
    for index in receive.indices {
      if receive[index].run(budget: Self.budget) { isBusy = true }
      if transmit[index].run(budget: Self.budget) { isBusy = true }
    }
    return isBusy
  }

  /// False if frames came meanwhile.
  private func prepareToSleep() -> Bool {
    for pump in receive where !pump.wantInterrupt() { return false }
    return true
  }

  private func handle(_ count: Int) {
    for index in 0..<count {
      let token = poller.event(index).token
      let number = Int(token & 0xffff_ffff)
      switch token & Token.mask {
      case Token.tap: transmit[number].isTapReadable = true
      case Token.call:
        interrupts &+= 1
        if number % 2 == 1 { transmit[number / 2].interrupted() }
      case Token.connection: isEnding = isEnding || !session.connection.isOpen()
      default: isEnding = true
      }
    }
  }

  private func report(seconds: Double, processorSeconds: Double) {
    var line = JSONLine()
    line.add("transmit_packets", transmit.reduce(0) { $0 + $1.frames })
    line.add("transmit_bytes", transmit.reduce(0) { $0 + $1.bytes })
    line.add("receive_packets", receive.reduce(0) { $0 + $1.frames })
    line.add("receive_bytes", receive.reduce(0) { $0 + $1.bytes })
    line.add("receive_dropped", receive.reduce(0) { $0 + $1.dropped })
    line.add("kicks", transmit.reduce(0) { $0 + $1.kicks } + receive.reduce(0) { $0 + $1.kicks })
    line.add("interrupts", interrupts)
    line.add("wakeups", wakeups)
    line.add("cpu_seconds", processorSeconds)
    line.add("seconds", seconds)
    line.add("features", "0x" + String(session.features.rawValue, radix: 16))
    line.print()
  }
}
