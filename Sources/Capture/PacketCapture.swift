// SPDX-License-Identifier: Apache-2.0

public import Memory
public import Packets
public import Timekeeping
public import Wire

/// One look at the frames of a NIC: what is wanted of them, and what waits to be taken.
public final class PacketCapture {
  /// Memory for what waits. Bytes.
  public static let memoryBytes = 4 << 20
  /// Flags, the number of those missed, a comment, and the end of options.
  private static let mostOptionBytes = 8 + 12 + 4 + CaptureComment.most + 4

  public let filter: CaptureFilter
  private let snapLength: SnapLength
  /// From this machine's monotonic clock to Unix time. Nanoseconds.
  private let clockOffset: Int64
  private let began: Instant
  private let memory: ByteRegion
  private var ring: CaptureRing
  /// The block that is open.
  private var writer: PcapngWriter?
  private var openPoint: CapturePoint?
  private var counts = [FrameCounts](repeating: FrameCounts(), count: CapturePoint.Interface.allCases.count)
  /// Missed since the last frame that found room.
  private var missedSince: UInt64 = 0
  /// How many frames are still wanted; nil: there is no end.
  private var wanted: Int?

  /// - Parameters:
  ///   - limit: the capture is done after so many frames; nil: when somebody ends it.
  ///   - wallClock: Unix time in nanoseconds at `now`.
  ///   - application: who writes it, for the section header.
  public init(
    filter: CaptureFilter, snapLength: SnapLength, limit: Int?, application: String, wallClock: Int64, now: Instant
  ) {
    self.filter = filter
    self.snapLength = snapLength
    wanted = limit
    clockOffset = wallClock &- now.nanoseconds
    began = now
    memory = ByteRegion.reserve(count: Self.memoryBytes)
    ring = CaptureRing(over: memory)
    begin(application)
  }

  deinit { memory.deallocate() }

  /// As many frames were seen as were wanted.
  public var isDone: Bool { wanted == 0 }
  /// Frames that fitted the filter, and those of them for which there was no room.
  public var acceptedCount: UInt64 { counts.reduce(0) { $0 &+ $1.accepted } }
  public var missedCount: UInt64 { counts.reduce(0) { $0 &+ $1.missed } }

  /// What can be taken at once; empty: nothing waits.
  public func waiting() -> ByteRegion { ring.waiting() }
  /// So many octets of it were taken.
  public func take(_ count: Int) { ring.take(count) }
  public var isEmpty: Bool { ring.isEmpty }

  /// Copies a frame that is wanted, as it is now; nothing is to be said of others. `close` is to follow.
  public func open(_ point: CapturePoint, _ frame: PassingFrame, _ layout: FrameLayout?, now: Instant) {
    openPoint = nil
    writer = nil
    let place = Int(point.interface.rawValue)
    counts[place].seen &+= 1
    guard wanted != 0, filter.matches(point, frame.head, layout) else { return }
    counts[place].accepted &+= 1
    if let wanted { self.wanted = wanted &- 1 }
    let count = max(0, snapLength.of(frame.length, layout))
    let most =
      PcapngBlock.framing &+ PcapngBlock.packetFields &+ PcapngBlock.padded(count) &+ Self.mostOptionBytes
    guard let room = ring.reserve(most) else {
      counts[place].missed &+= 1
      missedSince &+= 1
      return
    }
    var writer = PcapngWriter(room)
    writer.begin(PcapngBlock.enhancedPacket)
    writer.put(point.interface.rawValue)
    writer.put(time: time(now))
    writer.put(UInt32(truncatingIfNeeded: count))
    writer.put(UInt32(truncatingIfNeeded: frame.length))
    let copied = writer.place(count)
    var cursor = PayloadCursor(frame, from: 0)
    let read = cursor.read(into: copied)
    // A guest's list of buffers is as long as was said when it was read; but nobody is to see what was here before.
    if read < count { copied.suffix(from: read).fill(with: 0) }
    self.writer = writer
    openPoint = point
  }

  /// Adds what became of the frame that is open, if one is.
  public func close(_ comment: CaptureComment) {
    guard var writer, let openPoint else { return }
    writer.option(PcapngOption.flags, openPoint.direction.rawValue)
    if missedSince > 0 { writer.option(PcapngOption.dropCount, missedSince) }
    missedSince = 0
    if !comment.isEmpty { writer.option(PcapngOption.comment, comment.text) }
    writer.endOptions()
    writer.end()
    ring.commit(writer.count)
    self.writer = nil
    self.openPoint = nil
  }

  /// Writes what was counted, the last blocks of the file. False: there is no room for them yet.
  public func finish(now: Instant) -> Bool {
    wanted = 0
    let most = CapturePoint.Interface.allCases.count &* 128
    guard let room = ring.reserve(most) else { return false }
    var writer = PcapngWriter(room)
    for interface in CapturePoint.Interface.allCases {
      let count = counts[Int(interface.rawValue)]
      writer.begin(PcapngBlock.interfaceStatistics)
      writer.put(interface.rawValue)
      writer.put(time: time(now))
      writer.option(PcapngOption.startTime, time: time(began))
      writer.option(PcapngOption.endTime, time: time(now))
      writer.option(PcapngOption.received, count.seen)
      writer.option(PcapngOption.dropped, count.missed)
      writer.option(PcapngOption.accepted, count.accepted)
      writer.option(PcapngOption.delivered, count.accepted &- count.missed)
      writer.endOptions()
      writer.end()
    }
    ring.commit(writer.count)
    return true
  }

  /// The section and both interfaces.
  private func begin(_ application: String) {
    let name = Array(application.utf8.prefix(64))
    // The ring is empty, and much larger.
    guard let room = ring.reserve(1024) else { return }
    var writer = PcapngWriter(room)
    writer.begin(PcapngBlock.sectionHeader)
    writer.put(PcapngBlock.byteOrderMagic)
    writer.put(PcapngBlock.majorVersion)
    writer.put(UInt16(0))
    writer.put(PcapngBlock.unknownLength)
    writer.option(PcapngOption.application, name)
    writer.endOptions()
    writer.end()
    for interface in CapturePoint.Interface.allCases {
      writer.begin(PcapngBlock.interfaceDescription)
      writer.put(PcapngBlock.ethernet)
      writer.put(UInt16(0))
      writer.put(UInt32(truncatingIfNeeded: snapLength.limit))
      writer.option(PcapngOption.name, Array(interface.name.utf8))
      writer.option(PcapngOption.description, Array(interface.meaning.utf8))
      // Nanoseconds: 10 to the power of -9.
      writer.option(PcapngOption.timeResolution, [9])
      writer.endOptions()
      writer.end()
    }
    ring.commit(writer.count)
  }

  private func time(_ now: Instant) -> UInt64 { UInt64(bitPattern: now.nanoseconds &+ clockOffset) }
}
