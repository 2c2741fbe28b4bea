// SPDX-License-Identifier: Apache-2.0

import CongestionControl
import Memory
import Packets
import TCPPolicy
import Timekeeping
import VTCP
import Wire

/// A module with little memory, the ends on both of its sides, and the clock.
final class ModuleStage {
  private let configuration: ModuleConfiguration
  private let memory: ByteRegion
  private let frame = ByteRegion.allocate(count: 1 << 17)
  private let head = ByteRegion.allocate(count: SegmentTemplate.maximumHeaderLength)
  private let vectors = RecordBuffer<IOVector>(capacity: 64, repeating: .none)
  private var module: VTCPModule
  private var now: Int64 = 1_000_000_000
  /// What each end would number its next octet.
  private var nextNumbers: [FuzzedEnd: UInt32] = [:]
  /// A frame of the input's own may carry other octets.
  private var hasRawFrames = false

  private var time: Instant { Instant(nanoseconds: now) }

  init(_ input: inout InputReader) throws {
    configuration = Self.configuration(&input)
    memory = ByteRegion.allocate(count: VTCPModule.byteCount(configuration), alignment: 4096)
    module = try VTCPModule(
      over: memory, configuration: configuration, creating: true, now: Instant(nanoseconds: 1_000_000_000))
  }

  func deallocate() {
    memory.deallocate()
    frame.deallocate()
    head.deallocate()
    vectors.deallocate()
  }

  /// 12 octets: mode, algorithm and what else there is to choose (2), sizes (6), timers (2), numbers (2).
  private static func configuration(_ input: inout InputReader) -> ModuleConfiguration {
    var configuration = ModuleConfiguration()
    configuration.flowLimit = 6
    configuration.chunkLimit = 24
    configuration.sendingLimit = 6
    configuration.transmissionLimit = 24
    let choice = input.u16()
    configuration.flow.mode = choice & 1 == 0 ? .early : choice & 2 == 0 ? .snoop : choice & 0x4000 == 0 ? .off : .limit
    configuration.flow.transmitWindow = choice & 4 == 0 ? .buffer : .receiver
    configuration.flow.receiveWindow = choice & 8 == 0 ? .receiver : .buffer
    configuration.flow.receiveRecovery = choice & 16 == 0 ? .simple : .full
    configuration.flow.isPaced = choice & 32 == 0
    configuration.flow.leastRoundTrip = choice & 0x8000 == 0 ? .zero : .milliseconds(1)
    configuration.flow.congestionAlgorithm = choice & 64 == 0 ? .cubic : .newReno
    configuration.flow.overrides.ecn = choice & 0x4000 == 0 ? .keep : .offer
    configuration.flow.overrides.addedOptions = choice & 0x80 == 0 ? [] : .maximumSegmentSize
    configuration.flow.transmitBufferSize = 1 + UInt32(input.u16()) * 4
    configuration.flow.receiveBufferSize = configuration.flow.transmitBufferSize
    configuration.flow.outOfOrderStoreSize = UInt32(input.u16())
    configuration.flow.tailSize = UInt32(input.u16())
    configuration.flow.acknowledgmentDelay = .milliseconds(Int64(input.byte() % 50))
    configuration.flow.minimumTimeout = .milliseconds(1 + Int64(input.byte()) * 4)
    configuration.flow.initialCongestionWindow = UInt16(input.byte())
    configuration.flow.maximumTimeouts = 3 + input.byte() % 20
    return configuration
  }

  /// Another policy, for all.
  func adopt(_ input: inout InputReader) throws {
    var flow = Self.configuration(&input).flow
    let choice = input.byte()
    let algorithms = CongestionAlgorithm.allCases
    flow.congestionAlgorithm = algorithms[Int(choice & 15) % algorithms.count]
    flow.mode = [.early, .snoop, .limit, .off][Int(choice >> 4 & 3)]
    let rates = input.byte()
    let headers = input.u16()
    flow.overrides.maximumSegmentSize = [0, 1, 536, 1200][Int(headers & 3)]
    flow.overrides.windowClamp = [0, 1, 1072, 5000, 65_535, 70_000, 1 << 20, 1 << 30][Int(headers >> 2 & 7)]
    flow.overrides.ecn = [.keep, .clear, .offer, .offer][Int(headers >> 5 & 3)]
    for (place, option) in HeaderOverrides.strippable.enumerated() where headers >> UInt16(7 + place) & 1 == 1 {
      flow.overrides.strippedOptions.insert(option.kinds)
    }
    let shaping = Shaping(transmitRate: Self.rate(rates & 15), receiveRate: Self.rate(rates >> 4))
    module.adopt(try Classifier(fallback: flow, shaping: shaping), flow: flow, now: time)
  }

  /// None, or 64 kbit/s to 1000 Gbit/s.
  private static func rate(_ choice: UInt8) -> Int { choice == 0 ? 0 : 64_000 << (2 * (Int(choice) - 1)) }

  func next(_ end: FuzzedEnd) -> UInt32 { nextNumbers[end] ?? (end.isNetwork ? 0xffff_fe00 : 5_000) }

  // MARK: Frames that arrive

  func arrive(_ segment: FuzzedSegment) {
    let sequence = next(segment.end) &+ UInt32(truncatingIfNeeded: segment.sequenceOffset)
    let acknowledgment = next(segment.end.other) &+ UInt32(truncatingIfNeeded: segment.acknowledgmentOffset)
    let clock = UInt32(truncatingIfNeeded: now / 1_000_000)
    guard
      let (headers, length) = segment.write(
        to: frame, sequence: sequence, acknowledgment: segment.flags & 16 != 0 ? acknowledgment : 0, clock: clock)
    else { return }
    let isSYN = segment.flags & 2 != 0
    let hasFIN = segment.flags & 1 != 0
    let end = sequence &+ UInt32(length - headers + (isSYN ? 1 : 0) + (hasFIN ? 1 : 0))
    if isSYN || Int32(bitPattern: end &- next(segment.end)) > 0 { nextNumbers[segment.end] = end }
    var passing = passing(headers, length)
    if segment.end.isNetwork { passing.isVerified = true } else { passing.needsChecksum = true }
    if length - headers > 1460 { passing.segmentSize = 1460 }
    let verdict = module.arrive(from: segment.end.isNetwork ? .network : .guest, passing, now: time)
    if verdict != .consumed, segment.hasNoRoom { _ = module.passFailed() }
  }

  /// Nobody vouches for these, and the connections of the others are not theirs.
  func arrive(raw octets: ByteRegion, fromNetwork: Bool) {
    guard octets.count > 0 else { return }
    hasRawFrames = true
    frame.copy(from: octets)
    _ = module.arrive(from: fromNetwork ? .network : .guest, passing(octets.count, octets.count), now: time)
  }

  private func passing(_ headers: Int, _ length: Int) -> PassingFrame {
    let cut = min(length, max(headers, 134))
    if cut < length { vectors[0] = IOVector(frame.slice(from: cut, count: length - cut)) }
    return PassingFrame(
      head: frame.slice(from: 0, count: cut), length: length, vectors: vectors, firstVector: 0,
      vectorsEnd: cut < length ? 1 : 0)
  }

  // MARK: Time, and frames that leave

  func pass(_ nanoseconds: Int64) throws(Finding) {
    now += nanoseconds
    try doWhatIsDue()
  }

  private func doWhatIsDue() throws(Finding) {
    // The wheel may have turned far, a slot at a time.
    var turns = 0
    while !module.timersDue(now: time) {
      turns += 1
      try Finding.require(turns < 1_000_000, "what is due has no end")
    }
    if let deadline = module.nextDeadline {
      try Finding.require(deadline > time, "what is due at \(deadline) was not done at \(time)")
    }
  }

  /// - Parameter taken: a bit for each of eight frames in a row: whether the leg takes it after all.
  func take(_ leg: Leg, _ count: Int, _ taken: UInt8, largest: Int) throws(Finding) {
    for index in 0..<count {
      guard let emission = module.emit(to: leg, head: head, vectors: vectors, first: 0, largest: largest, now: time)
      else { return }
      try check(emission, leg, largest)
      if taken >> (index % 8) & 1 == 0 { module.notEmitted() } else { module.emitted(now: time) }
    }
  }

  private func check(_ emission: Emission, _ leg: Leg, _ largest: Int) throws(Finding) {
    let length = emission.headerLength + emission.payloadCount
    frame.copy(from: head.slice(from: 0, count: emission.headerLength))
    var place = emission.headerLength
    for index in 0..<emission.vectorsEnd {
      guard let region = vectors[index].region else { continue }
      try Finding.require(place + region.count <= length, "more payload than \(emission.payloadCount)")
      frame.copy(from: region, at: place)
      place += region.count
    }
    try Finding.require(
      place == length, "\(emission.payloadCount) octets of payload are \(place - emission.headerLength)")
    let start = frame.slice(from: 0, count: emission.headerLength)
    guard let layout = FrameLayout(parsing: start, frameLength: length),
      let segment = TCPSegment(parsing: start, layout: layout, frameLength: length, isLarge: emission.segmentSize > 0)
    else { throw Finding("what the module made is no segment") }
    try Finding.require(
      segment.payloadCount == emission.payloadCount && layout.payloadOffset == emission.headerLength,
      "\(segment) is not \(emission)")
    try Finding.require(
      emission.payloadCount <= max(largest, emission.segmentSize) || emission.segmentSize == 0,
      "\(emission.payloadCount) octets where \(largest) were allowed")
    guard !hasRawFrames else { return }
    let what =
      UInt8(leg == .guest ? 1 : 0) | UInt8((leg == .guest ? segment.destinationPort : segment.sourcePort) & 3) << 1
    // The connections' ports are 1000 to 1003.
    let sender = FuzzedEnd(what | (layout.ipVersion == 6 ? 8 : 0))
    for index in 0..<emission.payloadCount {
      let number = segment.sequenceNumber.rawValue &+ UInt32(index)
      let octet: UInt8 = frame.load(at: emission.headerLength + index)
      try Finding.require(octet == sender.octet(at: number), "\(segment): octet \(index) is another")
    }
  }

  // MARK: The whole

  func quiesce() { module.setQuiescing(!module.isQuiescing, now: time) }

  func guestIsGone() { module.guestGone() }

  func takeOver() throws {
    module = try VTCPModule(over: memory, configuration: configuration, creating: false, now: time)
  }

  /// Nobody says anything any more: what is owned is sent again for some time, then given up.
  func finish() throws(Finding) {
    try doWhatIsDue()
    for _ in 0..<200 {
      for leg in [Leg.guest, .network] { try drain(leg) }
      guard module.ownedOctets > 0 else { break }
      try passTurns()
      try pass(61_000_000_000)
    }
    try Finding.require(
      module.ownedOctets == 0,
      "\(module.ownedOctets) octets stay owned for ever: \((1..<module.placesEnd).compactMap(module.view(at:)))")
  }

  /// What waits for a rate leaves two segments at a time, and nobody counts as silent meanwhile.
  private func passTurns() throws(Finding) {
    for _ in 0..<2000 {
      guard !module.shaping.isEmpty, let deadline = module.nextDeadline, deadline - time < .seconds(2) else { return }
      try pass(max((deadline - time).nanoseconds, 1))
      for leg in [Leg.guest, .network] { try drain(leg) }
    }
  }

  private func drain(_ leg: Leg) throws(Finding) {
    for _ in 0..<40 {
      guard module.hasFrames(for: leg, now: time) else { return }
      try take(leg, 255, 0xff, largest: 65_000)
    }
    try Finding.require(!module.hasFrames(for: leg, now: time), "frames for the \(leg) without end")
  }
}
