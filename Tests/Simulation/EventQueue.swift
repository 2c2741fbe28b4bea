// SPDX-License-Identifier: Apache-2.0

/// What happens to a frame, and when. Equal times keep the order in which they were added.
struct FrameEvent {
  enum Place: UInt8 { case moduleFromGuest, moduleFromNetwork, guest, network }

  var time: Int64
  var order: UInt64
  var place: Place
  var slot: Int32
  var length: Int32
  var isCorrupt: Bool
}

/// A binary heap of frame events.
struct EventQueue {
  private var events: [FrameEvent] = []
  private var added: UInt64 = 0

  var first: FrameEvent? { events.first }
  var count: Int { events.count }

  private static func isBefore(_ one: FrameEvent, _ other: FrameEvent) -> Bool {
    one.time != other.time ? one.time < other.time : one.order < other.order
  }

  mutating func add(_ time: Int64, _ place: FrameEvent.Place, slot: Int32, length: Int32, isCorrupt: Bool) {
    added += 1
    events.append(
      FrameEvent(time: time, order: added, place: place, slot: slot, length: length, isCorrupt: isCorrupt))
    var child = events.count - 1
    while child > 0, Self.isBefore(events[child], events[(child - 1) / 2]) {
      events.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  mutating func removeFirst() -> FrameEvent? {
    guard let first = events.first, let last = events.popLast() else { return nil }
    guard !events.isEmpty else { return first }
    events[0] = last
    var parent = 0
    while true {
      var child = 2 * parent + 1
      guard child < events.count else { return first }
      if child + 1 < events.count, Self.isBefore(events[child + 1], events[child]) { child += 1 }
      guard Self.isBefore(events[child], events[parent]) else { return first }
      events.swapAt(parent, child)
      parent = child
    }
  }
}
