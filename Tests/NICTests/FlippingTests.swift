// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

extension NICTests {
  /// A guest whose other CPU spoils its memory at full rate while the NIC serves it.
  @Suite struct FlippingTests {
    /// What is spoiled.
    enum Part: String, CaseIterable, Sendable {
      case descriptors, tables, driverAreas, deviceAreas, headers, frames, everything
    }

    private func ranges(_ part: Part, _ rig: Rig, buffers: UInt64) -> [Range<UInt64>] {
      let queues = [rig.guest.receiveQueues[0], rig.guest.transmitQueues[0]]
      let size: UInt64 = 64
      let isSplit = queues[0].options.layout == .split
      // Tables lie where the first buffers do; see `fill`.
      switch part {
      case .descriptors: return queues.map { $0.descriptorArea..<$0.descriptorArea + 16 * size }
      case .tables: return [buffers..<buffers + 0x800]
      case .driverAreas: return queues.map { $0.driverArea..<$0.driverArea + (isSplit ? 8 + 2 * size : 8) }
      case .deviceAreas: return queues.map { $0.deviceArea..<$0.deviceArea + (isSplit ? 8 + 8 * size : 8) }
      case .headers:
        return (0..<32 as Range<UInt64>).map { buffers + 0x1000 + $0 * 0x800..<buffers + 0x1010 + $0 * 0x800 }
      case .frames: return [buffers + 0x1000..<buffers + 0x11000]
      case .everything:
        return ranges(.descriptors, rig, buffers: buffers) + ranges(.driverAreas, rig, buffers: buffers)
          + ranges(.deviceAreas, rig, buffers: buffers) + [buffers..<buffers + 0x11000]
      }
    }

    /// Fills both rings of pair 0 with buffers, every other one by way of a table.
    private func fill(_ rig: Rig, buffers: UInt64) {
      let ram = rig.frontEnd.ram
      var builder = FrameBuilder(.v4, .tcp, payload: FrameBuilder.pattern(1200))
      builder.checksum = .partial
      let octets = builder.header(gsoSize: 500).octets(12) + builder.frame()
      for (way, queue) in [(DriverQueue.flagWrite, rig.guest.receiveQueues[0]), (0, rig.guest.transmitQueues[0])] {
        queue.reset()
        for slot in 0..<32 as Range<UInt16> {
          let place = buffers + 0x1000 + UInt64(slot) * 0x800
          if way == 0 { ram.write(octets, at: place) }
          let table = buffers + UInt64(slot) * 64
          let (identifier, rest) = queue.options.layout == .split ? (way, UInt16(0)) : (0, way)
          for half in 0..<2 as Range<UInt64> {
            let next: UInt16 = half == 0 ? DriverQueue.flagNext : 0
            ram.store(place + half * 600, at: table + 16 * half)
            ram.store(UInt32(600), at: table + 16 * half + 8)
            ram.store(identifier | (queue.options.layout == .split ? next : 0), at: table + 16 * half + 12)
            ram.store(queue.options.layout == .split ? 1 : rest, at: table + 16 * half + 14)
          }
          if slot % 2 == 0 {
            queue.addRaw([(table, 32, DriverQueue.flagIndirect, 0)], at: slot)
          } else {
            queue.addRaw([(place, 1200, way, 0)], at: slot)
          }
        }
        queue.kick.signal()
      }
    }

    @Test(
      "CVE-2020-14375, CVE-2026-93683, CVE-2026-86848: memory that changes at full rate harms the NIC of its guest only",
      arguments: DriverQueue.Layout.allCases, Part.allCases)
    func flipping(layout: DriverQueue.Layout, part: Part) throws {
      var features = Rig.plainFeatures | Feature.csum | Feature.hostTSO4 | Feature.guestCsum | Feature.guestTSO4
      features |= Feature.indirect | Feature.eventIndex
      let options = DriverQueue.Options(layout: layout, size: 64, eventIndex: true)
      try Rig.run(Rig.Shape(features: features, options: options, pairs: 2)) { (rig) throws in
        let buffers = try rig.frontEnd.ram.allocate(0x11000, alignment: 4096)
        let flipper = Flipper(rig.frontEnd.ram)
        flipper.scramble(ranges(part, rig, buffers: buffers), seed: 42)
        defer { flipper.stop() }
        let deadline = Deadline(after: 0.3)
        var (rounds, seen) = (0, 0)
        // Some rounds also where a busy machine, or a sanitizer, makes them long.
        while rounds < 4 || !deadline.hasPassed {
          // The driver resets its device again and again, as QEMU has it told.
          for index in 0..<2 as Range<UInt32> { _ = try rig.frontEnd.getVringBase(index) }
          fill(rig, buffers: buffers)
          for index in 0..<2 { try rig.frontEnd.startVring(UInt32(index), rig.guest.queue(index), base: start(layout)) }
          for number in 0..<16 { _ = rig.network.trySend(Rig.frame(number, payload: 40 + 80 * number)) }
          for _ in 0..<4 {
            rig.guest.queue(0).kick.signal()
            rig.guest.queue(1).kick.signal()
            try rig.synchronize()
          }
          while try rig.network.poll() != nil { seen += 1 }
          rounds += 1
        }
        flipper.stop()
        // What is sent in spite of it all was sound when it was looked at.
        if part == .frames { #expect(seen > 0) }
        while try rig.network.poll() != nil {}
        // What waits in the uplink for buffers goes to the other pair.
        for index in 0..<2 as Range<UInt32> { _ = try rig.frontEnd.getVringBase(index) }
        repeat { try rig.refill() } while try rig.guest.poll(pair: 1, timeout: 0.05) != nil
        for index in 0..<2 { try rig.frontEnd.startVring(UInt32(index), rig.guest.queue(index), base: start(layout)) }
        try rig.expectRecovery()
      }
    }

    private func start(_ layout: DriverQueue.Layout) -> UInt32 { layout == .split ? 0 : 0x8000_8000 }
  }
}
