// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import Memory
import VTCP
import Wire

// The four ways between the ends and the module, and what becomes of frames on them.

extension Simulation {
  func slot(_ index: Int32, _ length: Int) -> ByteRegion { slots.region(index, length) }

  func pump() throws(Broken) {
    var hasMore = true
    while hasMore {
      hasMore = false
      if legs[0].running(now) == now, try send(guest, way: 0, to: .moduleFromGuest) { hasMore = true }
      if try send(network, way: 3, to: .moduleFromNetwork) { hasMore = true }
      for leg in [Leg.guest, .network] where try drain(leg) { hasMore = true }
    }
  }

  /// One frame of an end on its way to the module.
  private func send(_ end: ModelEnd, way: Int, to place: FrameEvent.Place) throws(Broken) -> Bool {
    guard legs[way].hasRoom, let index = slots.allocate() else { return false }
    guard let (length, _) = end.poll(now, slot(index, FrameSlots.slotBytes)) else {
      slots.free(index)
      return false
    }
    frames += 1
    // A frame to be cut is cut before it comes from the network; the guest's come whole.
    if way == 3 { complete(slot(index, length)) }
    launch(way, place, index, length)
    return true
  }

  func launch(_ way: Int, _ place: FrameEvent.Place, _ index: Int32, _ length: Int) {
    if isTooBig(way, index, length) {
      slots.free(index)
      return
    }
    let fate = legs[way].fate(length, now: now)
    guard let first = fate.first else {
      slots.free(index)
      return
    }
    if fate.isMarked { ModelSegment.mark(slot(index, length)) }
    if let second = fate.second, let copy = slots.allocate() {
      slot(copy, length).copy(from: slot(index, length))
      legs[way].inFlight += 1
      queue.add(second, place, slot: copy, length: Int32(length), isCorrupt: false)
    }
    legs[way].inFlight += 1
    queue.add(first, place, slot: index, length: Int32(length), isCorrupt: fate.isCorrupt)
  }

  /// Whether the packet ends here; its sender is told.
  private func isTooBig(_ way: Int, _ index: Int32, _ length: Int) -> Bool {
    let limit = schedule.legs[way].largestPacket
    guard limit > 0, length - 14 > limit, !schedule.guest.isIPv6 else { return false }
    guard let notice = slots.allocate() else { return true }
    let noticeLength = ModelRouter.notice(
      of: slot(index, length), limit: limit, to: slot(notice, FrameSlots.slotBytes))
    legs[3].inFlight += 1
    let time = now + schedule.legs[2].delay + schedule.legs[3].delay
    queue.add(time, .moduleFromNetwork, slot: notice, length: Int32(noticeLength), isCorrupt: false)
    return true
  }

  func arrive(_ event: FrameEvent) throws(Broken) {
    let frame = slot(event.slot, Int(event.length))
    isCorrupt = event.isCorrupt && frame.count > 54
    if isCorrupt {
      // Behind the ports: the packet stays this connection's.
      let place = 38 + Int(random.next() % UInt64(frame.count - 38))
      frame.store(frame.load(UInt8.self, at: place) ^ UInt8(1 << (random.next() & 7)), at: place)
    }
    switch event.place {
    case .moduleFromGuest:
      legs[0].inFlight -= 1
      try judge(.guest, event.slot, frame)
    case .moduleFromNetwork:
      legs[3].inFlight -= 1
      try judge(.network, event.slot, frame)
    case .guest:
      legs[1].inFlight -= 1
      try deliver(guest, frame)
      slots.free(event.slot)
    case .network:
      legs[2].inFlight -= 1
      try deliver(network, frame)
      slots.free(event.slot)
    }
  }

  func note(_ what: String, _ frame: ByteRegion) {
    guard let trace else { return }
    guard let segment = try? ModelSegment(reading: frame, checkingSum: false) else { return trace("\(what) not TCP") }
    let sender = segment.sourceIsGuest ? guest : network
    let receiver = segment.sourceIsGuest ? network : guest
    let place = Int32(bitPattern: segment.sequence &- sender.parameters.initialSequence)
    let acknowledgment = Int32(bitPattern: segment.acknowledgment &- receiver.parameters.initialSequence)
    let letters = zip("FSRPAUEC", 0..<8).map { segment.flags & (1 << $1) != 0 ? String($0) : "" }.joined()
    trace(
      "\(now / 1000) us \(what) \(segment.sourceIsGuest ? "guest" : "network") \(letters) \(place)+\(segment.payloadCount) "
        + "ack \(acknowledgment) window \(segment.window) \(segment.blocks) \(segment.timestamp.map { "TS \($0.value) \($0.echo)" } ?? "") | \(summary)"
    )
  }

  private func deliver(_ end: ModelEnd, _ frame: ByteRegion) throws(Broken) {
    note("reaches end:", frame)
    if let notice = ModelRouter.reading(frame) { return end.takeNotice(notice.limit, notice.sequence) }
    // What is not whole is dropped, as a stack does.
    guard let segment = try? ModelSegment(reading: frame, checkingSum: true) else { return }
    try end.receive(segment, frame, now)
  }
}
