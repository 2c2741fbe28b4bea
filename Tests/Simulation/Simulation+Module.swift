// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import Memory
import Packets
import Timekeeping
import VTCP
import Wire

// The module's surroundings: what a datapath does around it, with frames that arrive and with those it has itself.

extension Simulation {
  func judge(_ leg: Leg, _ index: Int32, _ frame: ByteRegion) throws(Broken) {
    let passing = passing(leg, frame)
    // Nothing has happened to it since it was looked at last.
    let known = watch.last
    let reset = resetSegment(frame, checkingSum: leg == .network || !passing.needsChecksum)
    watch.remember(frame, known)
    note("arrives:", frame)
    isTouched = true
    let verdict = decide(leg, passing)
    guard verdict != .consumed else {
      trace?("  consumed")
      try watch.consumed(frame, self)
      monitor.consumed(frame, from: leg)
      slots.free(index)
      return
    }
    let frame = verdict == .replaced ? replace(index) : frame
    try watch.compare(frame, self)
    if let reset { try watch.reset(reset, known, self) }
    try watch.passed(frame, from: leg, view, self)
    let target = leg.opposite
    let way = target == .guest ? 1 : 2
    let list = target == .guest ? 0 : 1
    if !legs[way].hasRoom || !waiting[list].isEmpty {
      if random.next() & 1 == 0, module.passFailed() {
        slots.free(index)
        return
      }
      if !isCorrupt { monitor.passed(frame, to: target, self) }
      waiting[list].append((index, Int32(frame.count)))
      return
    }
    if !isCorrupt { monitor.passed(frame, to: target, self) }
    forward(target, index, frame.count)
  }

  private func decide(_ leg: Leg, _ frame: PassingFrame) -> Verdict {
    guard let told else { return module.arrive(from: leg, frame, now: Instant(nanoseconds: now)) }
    let story = module.arriveTelling(from: leg, frame, now: Instant(nanoseconds: now))
    told(story)
    return story.verdict
  }

  /// Puts what the module wants to go on in the place of what came.
  private func replace(_ index: Int32) -> ByteRegion {
    let frame = slot(index, module.replacement.count)
    frame.copy(from: module.replacement)
    return frame
  }

  /// The frame as the datapath hands it over: headers in private memory; payload in vectors, the first of them wherever the cut falls.
  private func passing(_ leg: Leg, _ frame: ByteRegion) -> PassingFrame {
    let headers = (try? ModelSegment(reading: frame, checkingSum: false))?.payloadOffset ?? 134
    let cut = min(frame.count, headers + Int(random.next() % 80))
    var passing = PassingFrame(
      head: frame.slice(from: 0, count: cut), length: frame.count, vectors: vectors, firstVector: 0,
      vectorsEnd: cut < frame.count ? 1 : 0)
    if cut < frame.count { vectors[0] = IOVector(frame.suffix(from: cut)) }
    guard leg == .guest else { return passing }
    passing.needsChecksum = guest.parameters.hasPartialChecksums
    if guest.parameters.largeSegments > 1 {
      let payload = (try? ModelSegment(reading: frame, checkingSum: false))?.payloadCount ?? 0
      if payload > guest.segmentSize { passing.segmentSize = UInt16(guest.segmentSize) }
    }
    return passing
  }

  /// A reset, if it is whole, as it was before it passed.
  private func resetSegment(_ frame: ByteRegion, checkingSum: Bool) -> ModelSegment? {
    guard ModelSegment.flags(of: frame) & ModelSegment.rst != 0 else { return nil }
    return try? ModelSegment(reading: frame, checkingSum: checkingSum)
  }

  /// A frame leaves the module: cut and completed as a NIC would, and on its way.
  private func forward(_ target: Leg, _ index: Int32, _ length: Int, segmentSize: Int? = nil) {
    let way = target == .guest ? 1 : 2
    let place: FrameEvent.Place = target == .guest ? .guest : .network
    let frame = slot(index, length)
    watch.leaves(frame, to: target, self)
    let size = segmentSize ?? (target == .guest ? guest.parameters.maximumSegmentSize : guest.segmentSize)
    note("leaves:", frame)
    guard target == .network, let segment = try? ModelSegment(reading: frame, checkingSum: false),
      segment.payloadCount > size
    else {
      if target == .network ? guest.parameters.hasPartialChecksums : false { complete(frame) }
      launch(way, place, index, length)
      return
    }
    cut(frame, segment, size, way, place)
    slots.free(index)
  }

  private func cut(_ frame: ByteRegion, _ whole: ModelSegment, _ size: Int, _ way: Int, _ place: FrameEvent.Place) {
    var start = 0
    while start < whole.payloadCount {
      let count = min(size, whole.payloadCount - start)
      guard let index = slots.allocate() else { return }
      var piece = whole
      piece.sequence &+= UInt32(start)
      piece.payloadCount = count
      if start > 0 { piece.flags &= ~ModelSegment.cwr }
      if start + count < whole.payloadCount { piece.flags &= ~(ModelSegment.fin | ModelSegment.psh) }
      let target = slot(index, FrameSlots.slotBytes)
      let length = piece.write(to: target)
      target.copy(from: frame.slice(from: whole.payloadOffset + start, count: count), at: piece.payloadOffset)
      piece.complete(target, partial: false)
      launch(way, place, index, length)
      start += count
    }
  }

  func complete(_ frame: ByteRegion) {
    guard let segment = try? ModelSegment(reading: frame, checkingSum: false) else { return }
    segment.complete(frame, partial: false)
  }

  /// What waits for the leg, then what the module has for it. True if anything went.
  func drain(_ leg: Leg) throws(Broken) -> Bool {
    let list = leg == .guest ? 0 : 1
    let way = leg == .guest ? 1 : 2
    guard legs[way].hasRoom else { return false }
    if !waiting[list].isEmpty {
      let first = waiting[list].removeFirst()
      forward(leg, first.slot, Int(first.length))
      return true
    }
    let time = Instant(nanoseconds: now)
    let largest = guest.parameters.largeSegments > 1 && leg == .network ? 3000 : 0
    guard let emission = module.emit(to: leg, head: head, vectors: vectors, first: 0, largest: largest, now: time)
    else {
      return false
    }
    guard random.next() & 15 != 0, let index = slots.allocate() else {
      module.notEmitted()
      return true
    }
    let length = emission.headerLength + emission.payloadCount
    let frame = slot(index, length)
    frame.copy(from: head.slice(from: 0, count: emission.headerLength))
    var place = emission.headerLength
    for vector in 0..<emission.vectorsEnd {
      guard let region = vectors[vector].region else { continue }
      frame.copy(from: region, at: place)
      place += region.count
    }
    guard place == length else { throw Broken("an emission of \(length) bytes has \(place)") }
    module.emitted(now: time)
    isTouched = true
    frames += 1
    try watch.emitted(frame, to: leg, segmentSize: emission.segmentSize, self)
    monitor.emitted(frame, to: leg, self)
    // Ours are always partial; they are completed where they leave.
    complete(frame)
    forward(leg, index, length, segmentSize: emission.segmentSize == 0 ? nil : emission.segmentSize)
    return true
  }
}
