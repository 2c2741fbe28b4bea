// SPDX-License-Identifier: Apache-2.0

import Memory

// What an end makes of segments that reach it.

extension ModelEnd {
  /// Takes a segment whose checksum is right.
  func receive(_ segment: ModelSegment, _ frame: ByteRegion, _ now: Int64) throws(Broken) {
    switch state {
    case .closed, .reset:
      if !segment.has(ModelSegment.rst) { resetDue = segment.acknowledgment }
      return
    case .listening:
      guard segment.has(ModelSegment.syn), !segment.has(ModelSegment.ack) else { return }
      state = .synReceived
      learnSYN(segment)
      return
    case .synSent:
      guard segment.has(ModelSegment.syn), segment.has(ModelSegment.ack), segment.acknowledgment == wire(1) else {
        return
      }
      learnSYN(segment)
      unacknowledged = 1
      timer = nil
      backoff = 1
      peerEdge = 1 + Int(segment.window)
      state = .established
      acknowledgmentDue = true
      return
    case .synReceived, .established:
      try receiveEstablished(segment, frame, now)
    }
  }

  func learnSYN(_ segment: ModelSegment) {
    peerInitial = segment.sequence
    received = 1
    read = 0
    toldSize = segment.maximumSegmentSize.map { Int($0) } ?? parameters.unsaidSegmentSize
    surestSize = min(toldSize, Int(segment.maximumSegmentSize ?? 536))
    segmentSize = toldSize
    if let peer = segment.windowScale, let own = parameters.windowScale {
      peerScale = Int(min(peer, 14))
      scale = Int(min(own, 14))
      peerScaled = true
    }
    hasTimestamps = parameters.hasTimestamps && segment.timestamp != nil
    usesSACK = parameters.hasSACK && segment.permitsSACK
    let isAnswer = segment.has(ModelSegment.ack)
    usesECN = parameters.hasECN && segment.has(ModelSegment.ece) && segment.has(ModelSegment.cwr) != isAnswer
    if let timestamp = segment.timestamp { recentTimestamp = timestamp.value }
    if hasTimestamps { segmentSize = max(segmentSize - 12, 1) }
    congestionWindow = 10 * segmentSize
    peerEdge = 1 + Int(segment.window)
    edge = max(edge, 1)
  }

  func receiveEstablished(_ segment: ModelSegment, _ frame: ByteRegion, _ now: Int64) throws(Broken) {
    let start = received + Int(Int32(bitPattern: segment.sequence &- peerWire(received)))
    let end = start + Int(segment.length)
    if segment.has(ModelSegment.rst) {
      hasSeenReset = true
      // RFC 5961 §3.2.
      if start == received { state = .reset } else if start > received, start < edge { acknowledgmentDue = true }
      return
    }
    if segment.has(ModelSegment.syn) {
      acknowledgmentDue = true
      return
    }
    if hasTimestamps {
      guard let timestamp = segment.timestamp else { throw Broken("\(name): a segment without timestamps") }
      try checkEcho(timestamp.echo, now)
      if Int32(bitPattern: timestamp.value &- recentTimestamp) < 0 {
        oldTimestamps += 1
        acknowledgmentDue = true
        return
      }
      if start <= lastAcknowledged { recentTimestamp = timestamp.value }
    }
    // RFC 9293 §3.10.7.4: acceptable if any of it is in the window.
    let isAcceptable =
      segment.length > 0 ? end > received && start < max(edge, received + 1) : start >= received && start <= edge
    if !isAcceptable { acknowledgmentDue = true }
    guard isAcceptable || end <= received else { return }
    guard segment.has(ModelSegment.ack) else { return }
    try takeAcknowledgment(segment, now)
    if isAcceptable, segment.length > 0 { try takeData(segment, frame, start, now) }
  }

  /// RFC 7323 §4.3: what comes back is a time that it has said itself, since its SYN at the earliest.
  private func checkEcho(_ echo: UInt32, _ now: Int64) throws(Broken) {
    let age = clock(now) &- echo
    guard age > clock(now) &- firstTimestamp else { return }
    throw Broken(
      "\(name): an echo of \(echo), which it did not say: its clock went from \(firstTimestamp) to \(clock(now))")
  }

  var name: String { isGuest ? "guest" : "network" }

  func takeAcknowledgment(_ segment: ModelSegment, _ now: Int64) throws(Broken) {
    let number = unacknowledged + Int(Int32(bitPattern: segment.acknowledgment &- wire(unacknowledged)))
    guard number <= highest else {
      throw Broken("\(name): \(number) is acknowledged, \(highest) was sent")
    }
    if state == .synReceived, number >= 1 {
      state = .established
      unacknowledged = 1
      timer = nil
    }
    guard number >= unacknowledged else { return }
    if let first = segment.blocks.first, usesSACK {
      // RFC 2883 §4: below the acknowledgment number, or within the next block.
      let second = segment.blocks.dropFirst().first
      let isWithin = second.map { first.start &- $0.start < $0.end &- $0.start } ?? false
      if Int32(bitPattern: first.end &- segment.acknowledgment) <= 0 || isWithin { duplicateReports += 1 }
    }
    if parameters.trustsSACK, usesSACK { select(segment, number) }
    try takeEcho(segment, number)
    let edge = number + Int(segment.window) << peerScale
    if number == unacknowledged {
      if segment.length == 0, edge == peerEdge, next > unacknowledged { repeated(now) }
    } else {
      advance(to: number, now)
    }
    if edge > peerEdge { probeTimer = nil }
    peerEdge = max(peerEdge, edge)
  }

  private func select(_ segment: ModelSegment, _ number: Int) {
    for block in segment.blocks {
      let start = number + Int(Int32(bitPattern: block.start &- segment.acknowledgment))
      let end = number + Int(Int32(bitPattern: block.end &- segment.acknowledgment))
      guard start > number, end <= highest else { continue }
      selected = ModelEnd.merged(selected, with: (start, end))
    }
  }

  /// RFC 1191 §6.4, if it is of what is on its way: smaller segments, and all of it again.
  func takeNotice(_ limit: Int, _ sequence: UInt32) {
    let place = unacknowledged + Int(Int32(bitPattern: sequence &- wire(unacknowledged)))
    let size = limit - 40 - (hasTimestamps ? 12 : 0)
    guard state == .established, place >= unacknowledged, place < highest, size < segmentSize else { return }
    segmentSize = size
    next = unacknowledged
  }

  /// RFC 3168 §6.1.2: once for what is in flight.
  func takeEcho(_ segment: ModelSegment, _ number: Int) throws(Broken) {
    guard segment.has(ModelSegment.ece), !segment.has(ModelSegment.syn) else { return }
    // Of a connection that is over nothing is known any more between the ends; a reset, too, has ended the record.
    guard usesECN || number > finPlaceOfOwn && hasPeersFIN || hasSeenReset else {
      throw Broken("\(name): an echo of congestion that nobody agreed on")
    }
    guard usesECN, number >= reducedUntil, next > unacknowledged else { return }
    reductions += 1
    reducedUntil = next
    reductionDue = true
    congestionWindow = max(congestionWindow / 2, segmentSize)
    threshold = max(congestionWindow, 2 * segmentSize)
  }

  func repeated(_ now: Int64) {
    duplicates += 1
    guard duplicates == 3, !isRecovering else { return }
    isRecovering = true
    recover = highest
    threshold = max((next - unacknowledged) / 2, 2 * segmentSize)
    congestionWindow = threshold
    // Everything again from the hole: simple, and legal.
    next = unacknowledged
  }

  func advance(to number: Int, _ now: Int64) {
    if let timed = timedPlace, number >= timed {
      measure(now - timedAt)
      timedPlace = nil
    }
    if isRecovering, number >= recover { isRecovering = false }
    congestionWindow +=
      congestionWindow < threshold ? number - unacknowledged : segmentSize * segmentSize / congestionWindow
    congestionWindow = min(congestionWindow, 1 << 24)
    unacknowledged = number
    selected.removeAll { $0.end <= number }
    next = max(next, number)
    duplicates = 0
    backoff = 1
    timer = next > unacknowledged ? now + timeout : nil
  }

  func measure(_ sample: Int64) {
    if smoothed == 0 {
      smoothed = sample
      variation = sample / 2
    } else {
      variation += (abs(smoothed - sample) - variation) / 4
      smoothed += (sample - smoothed) / 8
    }
    timeout = max(smoothed + max(4 * variation, 1_000_000), parameters.minimumTimeout)
  }

  func takeData(_ segment: ModelSegment, _ frame: ByteRegion, _ start: Int, _ now: Int64) throws(Broken) {
    let dataEnd = start + segment.payloadCount
    let payload = frame.slice(from: segment.payloadOffset, count: segment.payloadCount)
    guard peerBytes.matches(payload, from: start - 1) else {
      throw Broken("\(name): octets \(start - 1)..<\(dataEnd - 1) of the stream are not what was sent")
    }
    if segment.has(ModelSegment.fin) {
      if let finPlace, finPlace != dataEnd { throw Broken("\(name): FIN at \(dataEnd) and at \(finPlace)") }
      finPlace = dataEnd
    }
    if usesECN {
      if parameters.echoesEachMark, segment.payloadCount > 0 {
        if echoesMark != (segment.ecn == 3) { acknowledgmentDue = true }
        echoesMark = segment.ecn == 3
      } else if segment.has(ModelSegment.cwr) {
        echoesMark = false
      }
      if segment.ecn == 3 {
        marks += 1
        echoesMark = true
        acknowledgmentDue = true
      }
    } else if segment.ecn != 0 || segment.has(ModelSegment.cwr), !hasSeenReset {
      // A reset has ended the record; what it had overtaken comes as it was sent, and who has agreed on nothing does not heed it.
      throw Broken("\(name): ECN that nobody agreed on")
    }
    if parameters.hasDSACK, segment.payloadCount > 0, dataEnd <= received {
      duplicate = (start, dataEnd)
    }
    // What is beyond the window is not taken.
    let end = min(start + Int(segment.length), max(edge, received + 1))
    if start > received {
      insert(start, end)
      acknowledgmentDue = true
      return
    }
    let hadGap = !later.isEmpty
    received = max(received, end)
    while let first = later.first, first.start <= received {
      received = max(received, first.end)
      later.removeFirst()
    }
    unreported += segment.payloadCount
    if hadGap || segment.has(ModelSegment.fin) || !parameters.delaysAcknowledgments
      || unreported >= 2 * parameters.maximumSegmentSize
    {
      acknowledgmentDue = true
    } else if acknowledgmentTimer == nil {
      acknowledgmentTimer = now + 40_000_000
    }
  }

  func insert(_ start: Int, _ end: Int) {
    guard end > start else { return }
    later = ModelEnd.merged(later, with: (start, end))
    noteLater(start)
  }

  /// Ranges in order, with one more.
  static func merged(
    _ ranges: [(start: Int, end: Int)], with range: (start: Int, end: Int)
  ) -> [(start: Int, end: Int)] {
    var merged = range
    var others: [(start: Int, end: Int)] = []
    for range in ranges {
      if range.end < merged.start || range.start > merged.end {
        others.append(range)
      } else {
        merged = (min(range.start, merged.start), max(range.end, merged.end))
      }
    }
    others.append(merged)
    return others.sorted { $0.start < $1.start }
  }
}
