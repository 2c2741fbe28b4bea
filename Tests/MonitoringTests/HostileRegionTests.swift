// SPDX-License-Identifier: Apache-2.0

import Foundation
import FrameSupport
import Memory
import Testing
import Timekeeping

@testable import Monitoring

@Suite struct HostileRegionTests {
  private static let now = Instant(nanoseconds: 60_000_000_000)

  private static func image() -> [UInt8] {
    let rig = MonitorRig()
    rig.writer.record(.networkRoundTrip, 20_000)
    rig.writer.nameClasses(["default", "web"])
    rig.writer.publish(MonitorRig.report(counters: 5), at: 0)
    rig.writer.publish(MonitorRig.report(counters: 6), at: 3)
    return rig.memory.bytes
  }

  /// Reads all that there is and prints it both ways.
  private static func read(_ bytes: [UInt8]) {
    ByteRegion.with(bytes) { region in
      let snapshot: MonitorSnapshot
      do throws(MonitorError) {
        snapshot = try MonitorReader(over: region).snapshot()
      } catch {
        #expect(!error.description.isEmpty)
        return
      }
      #expect(snapshot.text(isRunning: true, now: now).utf8.allSatisfy { $0 == 10 || (0x20..<0x7f).contains($0) })
      let json = snapshot.json(isRunning: false, now: now)
      #expect(json.utf8.allSatisfy { $0 == 10 || (0x20..<0x7f).contains($0) })
      #expect((try? JSONSerialization.jsonObject(with: Data(json.utf8))) != nil, "\(json)")
    }
  }

  @Test("Whatever bytes are there, a reader gives numbers or an error", arguments: 1...30)
  func randomBytes(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    for _ in 0..<8 {
      var bytes = Self.image()
      // The header most of all; elsewhere whole stretches.
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        let place = 12 + Int.random(in: 0..<(308), using: &random)
        bytes[place] = UInt8.random(in: 0...255, using: &random)
      }
      let start = Int.random(in: 320..<bytes.count, using: &random)
      let end = min(bytes.count, start + Int.random(in: 1...8192, using: &random))
      bytes.replaceSubrange(start..<end, with: random.bytes(end - start))
      Self.read(bytes)
    }
  }

  @Test("Reports of random bytes are shown as numbers", arguments: 1...30)
  func randomReports(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var bytes = Self.image()
    bytes.replaceSubrange(4096..<bytes.count, with: random.bytes(bytes.count - 4096))
    // All four are whole.
    for place in 0..<4 { bytes[MonitorLayout.flowsBegin + place * MonitorLayout.flowStride] &= 0xfe }
    Self.read(bytes)
  }

  @Test("Each number of the header may have any of the extreme values")
  func extremes() {
    for offset in stride(from: 8, to: 116, by: 4) {
      for value in [0, 1, 0x7fff_ffff, 0x8000_0000, .max] as [UInt32] {
        var bytes = Self.image()
        for place in 0..<4 { bytes[offset + place] = UInt8(truncatingIfNeeded: value >> UInt32(8 * place)) }
        Self.read(bytes)
      }
    }
  }

  @Test("A file that was cut anywhere is refused, not read beyond its end")
  func cut() {
    let image = Self.image()
    for count in [0, 1, 7, 8, 4095, 4096, 8192, MonitorLayout.flowsBegin, image.count - 1] {
      ByteRegion.with(Array(image.prefix(count))) { region in
        _ = #expect(throws: MonitorError.self) { try MonitorReader(over: region) }
      }
    }
  }

  @Test("What is wrong is told: too small, not ours, another version, damaged")
  func errors() {
    func error(_ change: (inout [UInt8]) -> Void) -> MonitorError? {
      var bytes = Self.image()
      change(&bytes)
      return ByteRegion.with(bytes) { region in
        do throws(MonitorError) { _ = try MonitorReader(over: region) } catch { return error }
        return nil
      }
    }
    #expect(error { _ in } == nil)
    #expect(error { $0.removeLast($0.count - 100) } == .tooSmall(has: 100, needs: 4096))
    #expect(error { $0[0] = 0x56 } == .notOurs)
    #expect(error { $0[8] = 9 } == .otherVersion(9))
    #expect(error { $0[28] = 1 } == .damaged)
    #expect(error { $0[48] = 0xff } == .damaged)
  }
}
