// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

extension NICTests {
  /// What a front-end that migrates a guest must know: which pages the device has written.
  @Suite struct DirtyLogTests {
    /// A guest that takes all that the network hands up gets frames in place.
    static let inPlace =
      Feature.guestCsum | Feature.guestTSO4 | Feature.guestTSO6 | Feature.guestECN | Feature.guestUSO4
      | Feature.guestUSO6

    /// How frames come to the guest.
    struct Way: Sendable, CustomTestStringConvertible {
      var layout: DriverQueue.Layout
      var indirect = false
      var eventIndex = false
      var isInPlace = false
      var isMergeable = true
      var buffer = [2048]

      var testDescription: String {
        "\(layout)\(indirect ? " indirect" : "")\(eventIndex ? " event-index" : "")"
          + "\(isInPlace ? " in-place" : " staged")\(isMergeable ? "" : " unmerged") \(buffer)"
      }

      var shape: Rig.Shape {
        var shape = Rig.Shape()
        shape.options = .init(layout: layout, size: 1024, indirect: indirect, eventIndex: eventIndex)
        if isInPlace { shape.features |= DirtyLogTests.inPlace }
        if !isMergeable { shape.features &= ~Feature.mergeableBuffers }
        // Between two regions, one buffer or another lies in both.
        shape.border = 0x80_0000
        return shape
      }

      /// CVE-2019-14835: descriptors without length among the others.
      static let buffers = [[2048], [300], [70, 0, 4096, 0, 3000], [0, 12, 2000]]

      static let all: [Way] = DriverQueue.Layout.allCases.flatMap { layout in
        [false, true].flatMap { isInPlace in
          buffers.map { Way(layout: layout, isInPlace: isInPlace, buffer: $0) } + [
            Way(layout: layout, indirect: true, isInPlace: isInPlace, buffer: [70, 0, 4096, 0, 3000]),
            Way(layout: layout, eventIndex: true, isInPlace: isInPlace),
            Way(layout: layout, isInPlace: isInPlace, isMergeable: false, buffer: [73728]),
          ]
        }
      }
    }

    /// Pages of what the device writes again and again, at times with what stands there.
    static func eventPages(of guest: MockGuest) -> Set<Int> {
      (0..<2 * guest.pairs).reduce(into: []) { pages, index in
        let queue = guest.queue(index)
        pages.formUnion(DirtyBitmap.pages(at: queue.deviceArea, count: 4))
        guard queue.options.layout == .split else { return }
        let event = queue.deviceArea + 4 + 8 * UInt64(queue.options.size)
        pages.formUnion(DirtyBitmap.pages(at: event, count: 2))
      }
    }

    @Test("Every page that the device writes is marked, and no other", arguments: Way.all)
    func exact(way: Way) throws {
      try Rig.run(way.shape) { (rig) throws in
        let (guest, ram) = (rig.guest, rig.frontEnd.ram)
        // Each buffer is used once, so that what is written differs from what was there.
        try guest.post(way.isMergeable ? 1000 / way.buffer.count : 40, lengths: way.buffer)
        for number in 0..<4 { try exchange(rig, number, 60 + 100 * number) }
        let bitmap = try DirtyBitmap(covering: ram.size)
        try rig.frontEnd.setLogging(of: guest, true, bitmap: bitmap)
        ram.watch()
        let sizes = way.buffer == [300] ? [60, 1500, 9000] : [60, 1500, 9000, 20000, 60000]
        var changed: Set<Int> = []
        for (number, size) in sizes.enumerated() {
          try exchange(rig, number, size)
          // Before the driver writes something else to the same place.
          changed.formUnion(ram.pagesChangedByDevice)
        }
        for index in 0..<2 as Range<UInt32> { _ = try rig.frontEnd.getVringBase(index) }
        changed.formUnion(ram.pagesChangedByDevice)
        let marked = bitmap.pages
        #expect(changed.count > 5)
        #expect(changed.subtracting(marked).sorted() == [], "written and not marked")
        #expect(
          marked.subtracting(changed).subtracting(Self.eventPages(of: guest)).sorted() == [], "marked and not written")
      }
    }

    /// A frame of each direction.
    private func exchange(_ rig: Rig, _ number: Int, _ size: Int) throws {
      let frame = Rig.frame(number, payload: size)
      try rig.guest.transmit(frame)
      #expect(try rig.network.receive().frame == frame)
      try rig.guest.reclaim(1)
      try rig.network.send(frame)
      #expect(try rig.guest.receive().frame == frame)
    }

    @Test("Nothing is marked before logging is on, nor after it is off", arguments: DriverQueue.Layout.allCases)
    func off(layout: DriverQueue.Layout) throws {
      try Rig.run(Rig.Shape(options: .init(layout: layout))) { (rig) throws in
        let bitmap = try DirtyBitmap(covering: rig.frontEnd.ram.size)
        try rig.guest.post(100, lengths: [2048])
        try rig.frontEnd.setLogBase(bitmap)
        for number in 0..<10 { try exchange(rig, number, 1000) }
        #expect(bitmap.pages.isEmpty)
        try rig.frontEnd.setLogging(of: rig.guest, true)
        try exchange(rig, 1, 1000)
        #expect(!bitmap.pages.isEmpty)
        try rig.frontEnd.setLogging(of: rig.guest, false)
        let last = bitmap.pages
        for number in 0..<10 { try exchange(rig, number, 1000) }
        #expect(bitmap.pages == last)
      }
    }

    @Test("A frame that was read into the guest's buffers and then dropped is marked")
    func dropped() throws {
      var way = Way(layout: .split, isInPlace: true).shape
      way.arguments = ["--mac", "52:54:00:00:00:09"]
      try Rig.run(way) { (rig) throws in
        let (guest, ram) = (rig.guest, rig.frontEnd.ram)
        try guest.post(100, lengths: [2048])
        let bitmap = try DirtyBitmap(covering: ram.size)
        try rig.frontEnd.setLogging(of: guest, true, bitmap: bitmap)
        ram.watch()
        try rig.network.send(Rig.frame(1, payload: 5000))
        // A broadcast behind it, so that it is known to be over.
        var builder = FrameBuilder(.v4, .udp, payload: FrameBuilder.pattern(20))
        builder.destination = [UInt8](repeating: 0xff, count: 6)
        try rig.network.send(builder.frame())
        #expect(try guest.receive().frame == builder.frame())
        let changed = ram.pagesChangedByDevice
        #expect(changed.count >= 3)
        #expect(changed.isSubset(of: bitmap.pages))
      }
    }

    // MARK: Under load

    /// Puts frames on their way in both directions, as many as there is room for.
    private func flood(_ rig: Rig, _ count: Int) throws {
      let guest = rig.guest
      while try guest.poll() != nil {}
      try guest.reclaimSome()
      while guest.receiveQueues[0].hasRoom(for: 1) { try guest.post(1, lengths: [2048]) }
      for number in 0..<count {
        _ = rig.network.trySend(Rig.frame(number, payload: 40 + number * 13 % 1400))
        if guest.transmitQueues[0].hasRoom(for: 1) { try guest.transmit(Rig.frame(number)) }
        while try rig.network.poll() != nil {}
      }
    }

    @Test("Logging that is switched under load misses nothing", arguments: DriverQueue.Layout.allCases, [false, true])
    func switched(layout: DriverQueue.Layout, isInPlace: Bool) throws {
      try Rig.run(Way(layout: layout, isInPlace: isInPlace).shape) { (rig) throws in
        let ram = rig.frontEnd.ram
        for round in 0..<(NICProcess.isSanitized ? 10 : 30) {
          let bitmap = try DirtyBitmap(covering: ram.size)
          try flood(rig, 50)
          try rig.frontEnd.setLogging(of: rig.guest, true, bitmap: bitmap)
          ram.watch()
          try flood(rig, 50)
          let changed = ram.pagesChangedByDevice
          try rig.frontEnd.setLogging(of: rig.guest, false)
          #expect(changed.subtracting(bitmap.pages).sorted() == [], "round \(round)")
        }
      }
    }

    @Test(
      "A bitmap that is swapped under load loses no mark, and the old one gets none",
      arguments: DriverQueue.Layout.allCases)
    func swapped(layout: DriverQueue.Layout) throws {
      try Rig.run(Way(layout: layout).shape) { (rig) throws in
        let ram = rig.frontEnd.ram
        var bitmap = try DirtyBitmap(covering: ram.size)
        try rig.frontEnd.setLogging(of: rig.guest, true, bitmap: bitmap)
        ram.watch()
        var old: [(bitmap: DirtyBitmap, pages: Set<Int>)] = []
        for _ in 0..<(NICProcess.isSanitized ? 10 : 30) {
          try flood(rig, 40)
          // Each with another place in its file, and another length.
          let next = try DirtyBitmap(covering: ram.size + 4096 * old.count, offset: 1024 * old.count, behind: 100)
          #expect(try rig.frontEnd.setLogBase(next) == 0)
          old.append((bitmap, bitmap.pages))
          bitmap = next
        }
        let changed = ram.pagesChangedByDevice
        try rig.synchronize()
        #expect(changed.isSubset(of: old.reduce(bitmap.pages) { $0.union($1.pages) }))
        for (bitmap, pages) in old {
          #expect(bitmap.pages == pages)
          #expect(bitmap.isCleanOutside)
        }
      }
    }
  }
}
