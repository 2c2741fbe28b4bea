// SPDX-License-Identifier: Apache-2.0

import Memory
import Monitoring
import Packets
import TCPPolicy
import Timekeeping
import Wire

@testable import Simulation
@testable import VTCP

/// A module and one connection, segment by segment. Places in both streams are counted from 0, behind the SYNs.
final class ModuleRig {
  static let guestStart: UInt32 = 1000
  static let networkStart: UInt32 = .max - 500

  /// What became of a segment that arrived: nil if the module kept it, else what went on.
  typealias Passed = ModelSegment?

  private(set) var module: VTCPModule
  private let configuration: ModuleConfiguration
  private let memory: ByteRegion
  /// The statistics.
  let monitorMemory: ByteRegion
  private let frame = ByteRegion.allocate(count: 4096)
  private let head = ByteRegion.allocate(count: SegmentTemplate.maximumHeaderLength)
  private let vectors = RecordBuffer<IOVector>(capacity: 64, repeating: .none)
  private let up = StreamBytes(seed: 1)
  private let down = StreamBytes(seed: 2)
  /// Milliseconds.
  var now: Int64 = 1_000
  var hasTimestamps = false
  var clock: (guest: UInt32, network: UInt32) = (100, 9_000)

  /// Whether it is told what becomes of segments, and what became of the last one.
  var tells = false
  private(set) var story = FrameStory(.pass)

  /// Of the connection that is spoken of.
  var guestPort: UInt16 = 40_000

  init(policy: Classifier? = nil, _ change: (inout ModuleConfiguration) -> Void = { _ in }) throws {
    var configuration = ModuleConfiguration()
    configuration.flowLimit = 8
    configuration.chunkLimit = 64
    configuration.sendingLimit = 8
    configuration.flow.acknowledgmentDelay = .zero
    configuration.flow.leastRoundTrip = .zero
    change(&configuration)
    self.configuration = configuration
    memory = ByteRegion.allocate(count: VTCPModule.byteCount(configuration), alignment: 4096)
    let flowLimit = configuration.flowLimit
    monitorMemory = ByteRegion.allocate(count: MonitorRegion.byteCount(flowLimit: flowLimit), alignment: 4096)
    let identity = MonitorIdentity(process: 1, started: Instant(nanoseconds: 0), mode: 2, uplink: "", socket: "")
    module = try VTCPModule(
      over: memory, configuration: configuration, policy: policy, creating: true,
      monitor: MonitorRegion(creatingIn: monitorMemory, identity: identity, flowLimit: flowLimit),
      now: Instant(nanoseconds: 1_000_000_000))
  }

  deinit {
    memory.deallocate()
    monitorMemory.deallocate()
    frame.deallocate()
    head.deallocate()
    vectors.deallocate()
  }

  /// Another process goes on with the memory.
  func takeOver(_ policy: Classifier? = nil) throws {
    module = try VTCPModule(over: memory, configuration: configuration, policy: policy, creating: false, now: time)
  }

  var isPresent: Bool { VTCPModule.isPresent(in: memory) }
  func forgetMagic() { memory.store(0 as UInt64, at: 8) }
  /// As if a version with other records had made the memory.
  func changeLayout() { memory.store(memory.load(UInt32.self, at: 16) &+ 1, at: 16) }

  var time: Instant { Instant(nanoseconds: now * 1_000_000) }
  var view: FlowView? { module.view(at: 1) }

  // MARK: Segments that arrive

  /// - Parameters:
  ///   - at: place of the first octet in the sender's stream.
  ///   - ack: place in the other's stream up to which it acknowledges.
  func guest(
    _ flags: UInt8 = ModelSegment.ack, at place: Int = 0, _ count: Int = 0, ack: Int = 0, window: UInt16 = 20_000,
    _ change: (inout ModelSegment) -> Void = { _ in }
  ) throws -> Passed {
    try arrive(fromGuest: true, flags, place, count, ack, window, change)
  }

  func network(
    _ flags: UInt8 = ModelSegment.ack, at place: Int = 0, _ count: Int = 0, ack: Int = 0, window: UInt16 = 20_000,
    _ change: (inout ModelSegment) -> Void = { _ in }
  ) throws -> Passed {
    try arrive(fromGuest: false, flags, place, count, ack, window, change)
  }

  private func arrive(
    fromGuest: Bool, _ flags: UInt8, _ place: Int, _ count: Int, _ ack: Int, _ window: UInt16,
    _ change: (inout ModelSegment) -> Void
  ) throws -> Passed {
    var segment = ModelSegment()
    segment.sourceIsGuest = fromGuest
    segment.guestPort = guestPort
    segment.networkPort = 80
    let own = fromGuest ? Self.guestStart : Self.networkStart
    let other = fromGuest ? Self.networkStart : Self.guestStart
    segment.flags = flags
    let isSYN = flags & ModelSegment.syn != 0
    segment.sequence = isSYN ? own : own &+ 1 &+ UInt32(truncatingIfNeeded: place)
    segment.acknowledgment = flags & ModelSegment.ack != 0 ? other &+ 1 &+ UInt32(truncatingIfNeeded: ack) : 0
    segment.window = window
    segment.payloadCount = count
    if hasTimestamps {
      segment.timestamp = fromGuest ? (clock.guest, clock.network) : (clock.network, clock.guest)
    }
    change(&segment)
    let length = segment.write(to: frame)
    let payload = frame.slice(from: segment.payloadOffset, count: segment.payloadCount)
    (fromGuest ? up : down).fill(payload, from: place)
    if setsAE { frame.store(frame.load(UInt8.self, at: 46) | 1, at: 46) }
    segment.complete(frame, partial: hasPartialChecksums)
    if isFragment {
      // More Fragments, and the header's sum again (RFC 1624).
      frame.storeNetworkOrder(0x2000 as UInt16, at: 20)
      let sum = frame.networkOrder(UInt16.self, at: 24)
      frame.storeNetworkOrder(InternetChecksum.update(sum, replacing: 0x4000 as UInt16, with: 0x2000 as UInt16), at: 24)
    }
    if damages { payload.store(payload.load(UInt8.self, at: 7) ^ 4, at: 7) }
    return try judge(fromGuest ? .guest : .network, length)
  }

  /// The frame as it lies in `frame`.
  private func judge(_ leg: Leg, _ length: Int) throws -> Passed {
    let whole = frame.slice(from: 0, count: length)
    let cut = min(length, 134)
    vectors[0] = IOVector(whole.suffix(from: cut))
    var passing = PassingFrame(
      head: whole.slice(from: 0, count: cut), length: length, vectors: vectors, firstVector: 0, vectorsEnd: 1)
    passing.needsChecksum = hasPartialChecksums
    let partial: UInt16 = frame.networkOrder(at: 34 + 16)
    before = whole.bytes
    let verdict: Verdict
    if tells {
      story = module.arriveTelling(from: leg, passing, now: time)
      verdict = story.verdict
    } else {
      verdict = module.arrive(from: leg, passing, now: time)
    }
    guard verdict != .consumed else { return nil }
    let passed = verdict == .replaced ? module.replacement : whole
    after = passed.bytes
    // TCP's length stands in the pseudo-header.
    let wanted = ModelSegment.fold(UInt64(partial) + UInt64(passed.count - whole.count))
    if hasPartialChecksums, passed.networkOrder(UInt16.self, at: 34 + 16) != wanted {
      throw Broken("a partial checksum was changed")
    }
    return try ModelSegment(reading: passed, checkingSum: !hasPartialChecksums)
  }

  /// A frame that is not TCP: whether it passes.
  func passesOther(from leg: Leg, octets: Int) -> Bool {
    let whole = frame.slice(from: 0, count: octets)
    whole.fill(with: 0)
    whole.storeNetworkOrder(0x88b5 as UInt16, at: 12)
    let passing = PassingFrame(head: whole, length: octets, vectors: vectors, firstVector: 0, vectorsEnd: 0)
    return module.arrive(from: leg, passing, now: time) == .pass
  }

  /// A segment of the connection as it would arrive, changed beyond what a segment can say: whether it passes as it is.
  ///
  /// - Parameter change: gets the frame with room behind it, and its length; returns the length that it has now.
  func passesUnchanged(
    _ flags: UInt8 = ModelSegment.ack, fromGuest: Bool, at place: Int = 0, _ count: Int = 0,
    _ change: (ByteRegion, Int) -> Int
  ) -> Bool {
    var segment = ModelSegment()
    segment.sourceIsGuest = fromGuest
    segment.guestPort = guestPort
    segment.networkPort = 80
    segment.flags = flags
    let offset = flags & ModelSegment.syn != 0 ? 0 : UInt32(truncatingIfNeeded: place + 1)
    segment.sequence = (fromGuest ? Self.guestStart : Self.networkStart) &+ offset
    segment.acknowledgment = (fromGuest ? Self.networkStart : Self.guestStart) &+ 101
    segment.payloadCount = count
    let length = segment.write(to: frame)
    segment.complete(frame.slice(from: 0, count: length), partial: false)
    let whole = frame.slice(from: 0, count: change(frame, length))
    let before = whole.bytes
    let passing = PassingFrame(head: whole, length: whole.count, vectors: vectors, firstVector: 0, vectorsEnd: 0)
    return module.arrive(from: fromGuest ? .guest : .network, passing, now: time) == .pass && whole.bytes == before
  }

  /// The same of a SYN with these octets of options, whatever they say.
  func passesUnchanged(_ flags: UInt8, fromGuest: Bool, options: [UInt8]) -> Bool {
    passesUnchanged(flags, fromGuest: fromGuest) { frame, length in
      let all = [UInt8](repeating: 1, count: (4 - options.count % 4) % 4) + options
      frame.copy(from: all, at: 54)
      frame.store(UInt8((20 + all.count) / 4 * 16), at: 46)
      frame.storeNetworkOrder(UInt16(40 + all.count), at: 16)
      frame.storeNetworkOrder(UInt16(0), at: 24)
      frame.storeNetworkOrder(~ModelSegment.fold(ModelSegment.sum(frame, 14, 20)), at: 24)
      frame.storeNetworkOrder(UInt16(0), at: 50)
      let sum = ModelSegment.pseudo(frame, false, 20 + all.count) + ModelSegment.sum(frame, 34, 20 + all.count)
      frame.storeNetworkOrder(~ModelSegment.fold(sum), at: 50)
      return length + all.count
    }
  }

  /// A SYN without options, with so many octets of Ethernet's padding behind it: what goes on in its place, if another frame does.
  func replaced(fromGuest: Bool, padding: Int) throws -> [UInt8]? {
    var segment = ModelSegment()
    segment.sourceIsGuest = fromGuest
    segment.guestPort = guestPort
    segment.networkPort = 80
    segment.flags = ModelSegment.syn
    segment.sequence = fromGuest ? Self.guestStart : Self.networkStart
    segment.window = 20_000
    let length = segment.write(to: frame)
    segment.complete(frame, partial: false)
    let whole = frame.slice(from: 0, count: length + padding)
    whole.suffix(from: length).fill(with: 0xee)
    let passing = PassingFrame(head: whole, length: whole.count, vectors: vectors, firstVector: 0, vectorsEnd: 0)
    guard module.arrive(from: fromGuest ? .guest : .network, passing, now: time) == .replaced else { return nil }
    return module.replacement.bytes
  }

  /// The first fragment of a packet with so many octets: whether it passes as it is.
  func passesFragment(fromGuest: Bool, at place: Int, _ count: Int) throws -> Bool {
    isFragment = true
    defer { isFragment = false }
    let passed = fromGuest ? try guest(at: place, count) : try network(at: place, count)
    return passed != nil && frame.networkOrder(UInt16.self, at: 20) == 0x2000
  }

  /// The same of a SYN.
  func passesFragmentOfSYN(_ change: (inout ModelSegment) -> Void) throws -> Bool {
    isFragment = true
    defer { isFragment = false }
    return try guest(ModelSegment.syn, at: 0, 300, change) != nil && before == after
  }

  private var isFragment = false
  /// Checksums are left to others.
  var hasPartialChecksums = false
  /// The flag AE of Accurate ECN.
  var setsAE = false
  /// The last frame that arrived, and what passed of it.
  private(set) var before: [UInt8] = []
  private(set) var after: [UInt8] = []
  private var flowConfiguration = FlowConfiguration()

  /// Data of the network with a bit turned on the way. Throws what a strict reader says of it if it passes.
  func damaged(at place: Int, _ count: Int, ack: Int) throws {
    damages = true
    defer { damages = false }
    _ = try network(at: place, count, ack: ack)
  }

  private var damages = false

  /// A router between the module and the network's end says that the guest's segment at a place was too big: whether the guest
  /// gets to know.
  func passesNotice(at place: Int, largest: Int) throws -> Bool {
    var segment = ModelSegment()
    segment.sourceIsGuest = true
    segment.guestPort = 40_000
    segment.networkPort = 80
    segment.sequence = Self.guestStart &+ 1 &+ UInt32(truncatingIfNeeded: place)
    segment.payloadCount = 100
    let quoted = frame.slice(from: 0, count: segment.write(to: frame))
    let room = frame.suffix(from: 2048)
    let notice = room.slice(from: 0, count: ModelRouter.notice(of: quoted, limit: largest, to: room))
    let passing = PassingFrame(head: notice, length: notice.count, vectors: vectors, firstVector: 0, vectorsEnd: 0)
    return module.arrive(from: .network, passing, now: time) == .pass
  }

  // MARK: What the module sends

  /// What the module has for a leg now, with its octets compared.
  ///
  /// - Parameter largest: octets of the largest send; of one segment if that has more.
  func emissions(to leg: Leg, atMost limit: Int = .max, largest: Int = 0) throws -> [ModelSegment] {
    var segments: [ModelSegment] = []
    while segments.count < limit,
      let emission = module.emit(to: leg, head: head, vectors: vectors, first: 0, largest: largest, now: time)
    {
      let length = emission.headerLength + emission.payloadCount
      let target = frame.slice(from: 0, count: length)
      target.copy(from: head.slice(from: 0, count: emission.headerLength))
      var cursor = VectorCursor(vectors, first: 0, end: emission.vectorsEnd)
      _ = cursor.read(into: target.suffix(from: emission.headerLength))
      let segment = try ModelSegment(reading: target, checkingSum: false)
      segment.complete(target, partial: false)
      module.emitted(now: time)
      let start = leg == .network ? Self.guestStart : Self.networkStart
      let place = Int(Int32(bitPattern: segment.sequence &- start &- 1))
      let octets = target.suffix(from: segment.payloadOffset)
      guard (leg == .network ? up : down).matches(octets, from: place) else {
        throw Broken("other octets than were sent")
      }
      segments.append(segment)
    }
    return segments
  }

  /// Lets so many milliseconds pass, and the timers run that are due then.
  func tick(_ milliseconds: Int64) {
    now += milliseconds
    _ = module.timersDue(now: time)
  }

  /// Lets time pass until the module has something for the guest; false if that never comes.
  func passTime() throws -> Bool {
    for _ in 0..<10_000 {
      _ = try emissions(to: .network)
      if module.hasFrames(for: .guest, now: time) { return true }
      guard let deadline = module.nextDeadline else { return false }
      now = max(now, (deadline.nanoseconds + 999_999) / 1_000_000)
      _ = module.timersDue(now: time)
    }
    return false
  }

  /// Place in the sender's stream of a segment to `leg`.
  func place(_ segment: ModelSegment, to leg: Leg) -> Int {
    Int(Int32(bitPattern: segment.sequence &- (leg == .network ? Self.guestStart : Self.networkStart) &- 1))
  }

  /// Place up to which a segment to `leg` acknowledges.
  func acknowledged(_ segment: ModelSegment, to leg: Leg) -> Int {
    Int(Int32(bitPattern: segment.acknowledgment &- (leg == .guest ? Self.guestStart : Self.networkStart) &- 1))
  }

  /// Places of what a segment to `leg` reports beside its number.
  func blocks(_ segment: ModelSegment, to leg: Leg) -> [Range<Int>] {
    let start = (leg == .guest ? Self.guestStart : Self.networkStart) &+ 1
    return segment.blocks.map { Int(Int32(bitPattern: $0.start &- start))..<Int(Int32(bitPattern: $0.end &- start)) }
  }

  /// Another policy, for everybody.
  func adopt(_ change: (inout FlowConfiguration) -> Void) {
    flowConfiguration.acknowledgmentDelay = .zero
    flowConfiguration.leastRoundTrip = .zero
    change(&flowConfiguration)
    module.adopt(nil, flow: flowConfiguration, now: time)
  }

  /// Another policy, of which connections are told when `tellSome` says so.
  func begin(_ policy: Classifier) { module.beginAdopting(policy, flow: FlowConfiguration(), now: time) }
  func tellSome() -> Bool { module.continueAdopting(now: time) }

  func adopt(_ policy: Classifier) { module.adopt(policy, flow: FlowConfiguration(), now: time) }

  // MARK: Beginnings

  /// The handshake; the guest opens, and the network answers after so many milliseconds, now and later. Windows are not scaled.
  func open(answeredAfter wait: Int64 = 0, _ change: (inout ModelSegment) -> Void = { _ in }) throws {
    _ = try guest(ModelSegment.syn) {
      $0.maximumSegmentSize = 1000; change(&$0)
    }
    tick(wait)
    _ = try network(ModelSegment.syn | ModelSegment.ack, ack: 0) {
      $0.maximumSegmentSize = 1000
      change(&$0)
    }
    _ = try guest()
  }

  /// The handshake, and an exchange of 100 octets each way, so that both ends are known to answer. Then both sides are
  /// held from 100 on, and accelerated once `network(at: 100...)` comes.
  func openAndTalk(answeredAfter wait: Int64 = 0, _ change: (inout ModelSegment) -> Void = { _ in }) throws {
    try open(answeredAfter: wait, change)
    _ = try guest(at: 0, 100)
    tick(wait)
    _ = try network(ack: 100)
    _ = try network(at: 0, 100, ack: 100)
    _ = try guest(at: 100, ack: 100)
  }
}
