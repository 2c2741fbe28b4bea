// SPDX-License-Identifier: Apache-2.0

import Memory

/// One end of a simulated TCP connection: RFC 9293 with RFC 5681's congestion control, as plain as it can be. It shares no code
/// with what is tested, and complains of what no peer may do.
///
/// Places in streams are counted from the SYN on, in 64 bits: the SYN is 0, the first octet of data 1.
final class ModelEnd {
  enum State { case closed, listening, synSent, synReceived, established, reset }

  let isGuest: Bool
  let parameters: EndParameters
  let bytes: StreamBytes
  let peerBytes: StreamBytes
  var state = State.closed

  // What it sends.
  var unacknowledged = 0
  var next = 0
  var highest = 0
  var peerEdge = 0
  var peerScale = 0
  var segmentSize = 536
  /// What the other end's SYN said of it, options included.
  var toldSize = 536
  /// What anybody takes the other end for, options included: the least where its SYN said nothing.
  var surestSize = 536
  var congestionWindow = 0
  var threshold = Int.max / 2
  var duplicates = 0
  var recover = 0
  var isRecovering = false
  var timeout: Int64 = 1_000_000_000
  var backoff: Int64 = 1
  var timer: Int64?
  var probeTimer: Int64?
  var probeDue = false
  var timedPlace: Int?
  var timedAt: Int64 = 0
  var smoothed: Int64 = 0
  var variation: Int64 = 0
  var written = 0
  var writeAt: Int64 = 0
  var retransmissions = 0
  /// What the other end said to have beyond what it acknowledged, in order.
  var selected: [(start: Int, end: Int)] = []
  /// ECN: agreed on; its window was reduced and the other end is to know; until where a reduction counts.
  var usesECN = false
  var reductionDue = false
  var reducedUntil = 0
  var reductions = 0
  /// Reports of duplicates that came.
  var duplicateReports = 0

  // What it receives.
  var peerInitial: UInt32 = 0
  var received = 0
  var later: [(start: Int, end: Int)] = []
  /// Where what came out of order begins, the last first.
  private var recent: [Int] = []
  var finPlace: Int?
  var read = 0
  var readAt: Int64 = 0
  var edge = 0
  var scale = 0
  var acknowledgmentDue = false
  var acknowledgmentTimer: Int64?
  var unreported = 0
  var resetDue: UInt32?
  var hasTimestamps = false
  var recentTimestamp: UInt32 = 0
  /// A reset came, whether it was believed or not.
  var hasSeenReset = false
  /// The time of its first SYN.
  var firstTimestamp: UInt32 = 0
  var lastAcknowledged = 0
  var usesSACK = false
  /// What came twice, to be reported once.
  var duplicate: (start: Int, end: Int)?
  /// A mark came, and is echoed until the other end has reduced.
  var echoesMark = false
  var marks = 0
  var oldTimestamps = 0

  init(isGuest: Bool, _ parameters: EndParameters, bytes: StreamBytes, peerBytes: StreamBytes) {
    self.isGuest = isGuest
    self.parameters = parameters
    self.bytes = bytes
    self.peerBytes = peerBytes
  }

  var finPlaceOfOwn: Int { 1 + parameters.streamLength }
  /// Everything of its own is acknowledged, FIN and all, and everything of the other's was read.
  var isDone: Bool {
    guard state == .established else { return state == .reset }
    guard unacknowledged > finPlaceOfOwn, let finPlace else { return false }
    return received > finPlace && read >= finPlace - 1
  }
  var hasPeersFIN: Bool { finPlace.map { received > $0 } ?? false }

  func open(active: Bool) {
    state = active ? .synSent : .listening
  }

  /// Octets of data that came in order.
  var readable: Int { min(received, finPlace ?? received) - 1 }

  // MARK: Time

  func deadline(_ now: Int64) -> Int64 {
    var earliest = Int64.max
    for time in [timer, probeTimer, acknowledgmentTimer] { if let time { earliest = min(earliest, time) } }
    if state == .established {
      if written < parameters.streamLength { earliest = min(earliest, max(writeAt, now)) }
      if read < readable { earliest = min(earliest, max(readAt, now)) }
      if let at = parameters.resetsAt { earliest = min(earliest, max(at, now)) }
    }
    return earliest
  }

  func pass(_ now: Int64) {
    if state == .established, let at = parameters.resetsAt, at <= now {
      resetDue = wire(next)
      state = .reset
      return
    }
    if state == .established, written < parameters.streamLength, writeAt <= now {
      written = min(written + parameters.writeSize, parameters.streamLength)
      writeAt = now + parameters.writePause
    }
    if read < readable, readAt <= now {
      read = min(read + parameters.readSize, readable)
      readAt = now + parameters.readPause
      // A window that opens is told once it is worth it.
      let grown = windowEdge() - edge
      if grown >= min(2 * parameters.maximumSegmentSize, parameters.bufferSize / 2) { acknowledgmentDue = true }
    }
    if let time = acknowledgmentTimer, time <= now {
      acknowledgmentTimer = nil
      acknowledgmentDue = true
    }
    if let time = probeTimer, time <= now {
      probeTimer = nil
      probeDue = true
    }
    if let time = timer, time <= now { timedOut(now) }
  }

  func timedOut(_ now: Int64) {
    backoff = min(backoff * 2, 64)
    threshold = max((next - unacknowledged) / 2, 2 * segmentSize)
    congestionWindow = segmentSize
    next = unacknowledged
    isRecovering = false
    duplicates = 0
    timedPlace = nil
    timer = now + min(timeout * backoff, 60_000_000_000)
  }

  // MARK: Sending

  func wire(_ place: Int) -> UInt32 { parameters.initialSequence &+ UInt32(truncatingIfNeeded: place) }
  func peerWire(_ place: Int) -> UInt32 { peerInitial &+ UInt32(truncatingIfNeeded: place) }

  func windowEdge() -> Int {
    let free = max(0, parameters.bufferSize - (max(received, 1) - 1 - read))
    return max(edge, received + free)
  }

  /// The next segment to send, if any. `fill` gets the octets of its payload.
  func poll(_ now: Int64, _ frame: ByteRegion) -> (length: Int, segment: ModelSegment)? {
    if let number = resetDue {
      resetDue = nil
      var segment = header(now, place: next)
      segment.sequence = number
      segment.flags = ModelSegment.rst | ModelSegment.ack
      return finish(segment, frame, place: 0)
    }
    switch state {
    case .closed, .listening, .reset:
      return nil
    case .synSent, .synReceived:
      guard next == 0 else { return bareAcknowledgment(now, frame) }
      return sendSYN(now, frame)
    case .established:
      return sendData(now, frame) ?? bareAcknowledgment(now, frame)
    }
  }

  func sendSYN(_ now: Int64, _ frame: ByteRegion) -> (length: Int, segment: ModelSegment) {
    var segment = header(now, place: 0)
    segment.flags = state == .synReceived ? ModelSegment.syn | ModelSegment.ack : ModelSegment.syn
    segment.window = UInt16(min(parameters.bufferSize, 65_535))
    edge = max(edge, received + Int(segment.window))
    if parameters.saysSegmentSize { segment.maximumSegmentSize = UInt16(parameters.maximumSegmentSize) }
    segment.windowScale = parameters.windowScale
    segment.permitsSACK = parameters.hasSACK
    if state == .synSent { segment.extraOptions = parameters.extraOptions }
    if state == .synSent, parameters.hasECN { segment.flags |= ModelSegment.ece | ModelSegment.cwr }
    if state == .synReceived {
      if usesECN { segment.flags |= ModelSegment.ece }
      if scale == 0, peerScale == 0, !peerScaled { segment.windowScale = nil }
      if !usesSACK { segment.permitsSACK = false }
    }
    if state == .synSent, parameters.hasTimestamps { segment.timestamp = (clock(now), 0) }
    if highest == 0 { firstTimestamp = clock(now) }
    next = 1
    highest = max(highest, 1)
    startTimer(now)
    acknowledgmentDue = false
    return finish(segment, frame, place: 0)
  }

  var peerScaled = false

  func sendData(_ now: Int64, _ frame: ByteRegion) -> (length: Int, segment: ModelSegment)? {
    // But the first of all is sent again: it may be the acknowledgment that was lost.
    while next > unacknowledged, let known = selected.first(where: { $0.start <= next && next < $0.end }) {
      next = known.end
    }
    let end = 1 + written
    let isWhole = written == parameters.streamLength
    let limit = min(unacknowledged + congestionWindow, peerEdge)
    var count = min(end - next, limit - next, segmentSize * parameters.largeSegments)
    if let known = selected.first(where: { $0.start > next }) { count = min(count, known.start - next) }
    let fin = isWhole && next + max(count, 0) == end && end >= next && !(parameters.closesLater && count > 0)
    if probeDue {
      probeDue = false
      armProbe(now)
      if parameters.probesWithData, next < end, next >= peerEdge {
        return send(now, frame, place: next, count: 1, fin: false)
      }
      if unacknowledged > 1 {
        // An octet that was acknowledged already: the answer is what counts.
        var segment = header(now, place: unacknowledged - 1)
        segment.payloadCount = 0
        segment.flags |= ModelSegment.ack
        edge = max(edge, received + Int(segment.window) << scale)
        return finish(segment, frame, place: 0)
      }
    }
    if count <= 0 {
      guard fin, next == end, next <= finPlaceOfOwn, limit >= next else {
        if end > next || (isWhole && next <= finPlaceOfOwn), next >= peerEdge, unacknowledged == next { armProbe(now) }
        return nil
      }
      count = 0
    } else if count < segmentSize, next + count < end, unacknowledged < next, next >= highest || selected.isEmpty {
      // Silly window: wait for more.
      return nil
    }
    return send(now, frame, place: next, count: count, fin: fin)
  }

  func armProbe(_ now: Int64) {
    if probeTimer == nil { probeTimer = now + 300_000_000 }
  }

  func send(
    _ now: Int64, _ frame: ByteRegion, place: Int, count: Int, fin: Bool
  ) -> (length: Int, segment: ModelSegment) {
    var segment = header(now, place: place)
    segment.flags |= ModelSegment.ack
    if place + count == 1 + written { segment.flags |= ModelSegment.psh }
    if fin { segment.flags |= ModelSegment.fin }
    if count > 0, parameters.urgentEvery > 0, (place + count) / parameters.urgentEvery > place / parameters.urgentEvery
    {
      segment.flags |= ModelSegment.urg
      segment.urgent = 1
    }
    segment.payloadCount = count
    if place < highest { retransmissions += 1 }
    if usesECN, count > 0, place >= highest {
      segment.ecn = 2
      if reductionDue { segment.flags |= ModelSegment.cwr }
      reductionDue = false
    }
    next = place + count + (fin ? 1 : 0)
    if next > highest {
      if timedPlace == nil, place >= highest {
        timedPlace = next
        timedAt = now
      }
      highest = next
    } else {
      timedPlace = nil
    }
    startTimer(now)
    acknowledged(segment)
    return finish(segment, frame, place: place)
  }

  func startTimer(_ now: Int64) {
    if timer == nil { timer = now + timeout * backoff }
  }

  func bareAcknowledgment(_ now: Int64, _ frame: ByteRegion) -> (length: Int, segment: ModelSegment)? {
    guard acknowledgmentDue else { return nil }
    var segment = header(now, place: highest)
    segment.flags |= ModelSegment.ack
    if usesSACK {
      segment.blocks = runsToReport.map { (peerWire($0.start), peerWire($0.end)) }
      if let duplicate { segment.blocks.insert((peerWire(duplicate.start), peerWire(duplicate.end)), at: 0) }
      duplicate = nil
    }
    acknowledged(segment)
    return finish(segment, frame, place: 0)
  }

  private var runsToReport: [(start: Int, end: Int)] {
    guard parameters.reportsNewest else { return Array(later.prefix(3)) }
    var runs: [(start: Int, end: Int)] = []
    for place in recent {
      guard let run = later.first(where: { $0.start <= place && place < $0.end }) else { continue }
      if runs.count < 3, !runs.contains(where: { $0.start == run.start }) { runs.append(run) }
    }
    return runs
  }

  func noteLater(_ place: Int) {
    guard parameters.reportsNewest else { return }
    recent = [place] + recent.prefix(31)
  }

  func acknowledged(_ segment: ModelSegment) {
    acknowledgmentDue = false
    acknowledgmentTimer = nil
    unreported = 0
    lastAcknowledged = received
    edge = max(edge, received + Int(segment.window) << scale)
  }

  func header(_ now: Int64, place: Int) -> ModelSegment {
    var segment = ModelSegment()
    segment.isIPv6 = parameters.isIPv6
    segment.sourceIsGuest = isGuest
    segment.sequence = wire(place)
    segment.acknowledgment = state == .synSent ? 0 : peerWire(received)
    segment.window = UInt16(min((windowEdge() - received) >> scale, 65_535))
    if hasTimestamps { segment.timestamp = (clock(now), recentTimestamp) }
    if echoesMark, state == .established { segment.flags |= ModelSegment.ece }
    return segment
  }

  func clock(_ now: Int64) -> UInt32 { parameters.timestampBase &+ UInt32(truncatingIfNeeded: now / 1_000_000) }

  func finish(
    _ segment: ModelSegment, _ frame: ByteRegion, place: Int
  ) -> (length: Int, segment: ModelSegment) {
    var segment = segment
    let length = segment.write(to: frame)
    if segment.payloadCount > 0 {
      bytes.fill(frame.slice(from: segment.payloadOffset, count: segment.payloadCount), from: place - 1)
    }
    segment.complete(frame, partial: parameters.hasPartialChecksums)
    return (length, segment)
  }
}
