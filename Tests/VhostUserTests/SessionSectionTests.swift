// SPDX-License-Identifier: Apache-2.0

import Memory
import Testing
import Virtio

@testable import VhostUser

@Suite("The session in the state memory")
struct SessionSectionTests {
  private static let vringCount = 6

  private func withSection(_ body: (SessionSection, ByteRegion) throws -> Void) rethrows {
    let memory = ByteRegion.allocate(count: SessionSection.byteCount(vringCount: Self.vringCount))
    defer { memory.deallocate() }
    memory.fill(with: 0)
    try body(SessionSection(over: memory, vringCount: Self.vringCount), memory)
  }

  private func region(_ number: UInt64) -> MemoryRegionDescription {
    let bytes = ByteRegion.allocate(count: MemoryRegionDescription.byteCount)
    defer { bytes.deallocate() }
    for field in 0..<4 as Range<UInt64> { bytes.store(number << 32 | field << 12, at: Int(field) * 8) }
    return MemoryRegionDescription(decoding: bytes, at: 0)
  }

  /// A session in which each field has something in it that no other has.
  private func session(_ seed: UInt64) -> Session {
    var session = Session(vrings: [])
    session.features = VirtioFeatures(rawValue: 0x1_4000_0000 &+ seed)
    session.protocolFeatures = ProtocolFeatures(rawValue: 0x9a03f &+ seed)
    session.status = UInt8(truncatingIfNeeded: 15 &+ seed)
    session.areFeaturesRefused = seed & 1 != 0
    session.hasRequestChannel = seed & 2 != 0
    session.hasLogCall = seed & 4 != 0
    session.log = seed & 8 != 0 ? .init(size: 4096 &+ seed, offset: seed) : nil
    session.regions = (0..<seed % 7).map { .init(description: region($0 &+ 1), slot: Int($0 / 2)) }
    session.removed = (0..<seed % 5).map { region($0 &+ 100) }
    for index in 0..<Self.vringCount {
      var vring = Vring()
      let bits = seed &* 31 &+ UInt64(index) &* 7
      vring.size = UInt16(truncatingIfNeeded: bits)
      vring.base = UInt32(truncatingIfNeeded: bits &* 0x1_0001)
      vring.isEnabled = bits & 1 != 0
      vring.isRunning = bits & 2 != 0
      vring.isDraining = bits & 4 != 0
      vring.hasKick = bits & 8 != 0
      vring.hasCall = bits & 16 != 0
      vring.hasError = bits & 32 != 0
      if bits & 64 != 0 {
        vring.addresses = VringAddresses(
          index: index, descriptors: bits &* 3, device: bits &* 5, driver: bits &* 7, log: bits & 128 != 0 ? bits : nil)
      }
      session.vrings.append(vring)
    }
    return session
  }

  @Test("What was written is read again, whatever it was", arguments: 0..<200 as Range<UInt64>)
  func roundTrip(seed: UInt64) throws {
    withSection { section, _ in
      let session = session(seed)
      section.set(.changing)
      section.write(session)
      #expect(section.state == .changing)
      section.set(.whole)
      #expect(section.state == .whole)
      #expect(section.read() == session)
    }
  }

  @Test("The largest table of regions has room")
  func largest() {
    withSection { section, _ in
      var session = session(0)
      session.regions = (0..<GuestMemory.maximumRegions).map { .init(description: region(UInt64($0)), slot: $0) }
      session.removed = (0..<GuestMemory.maximumRegions).map { region(UInt64($0)) }
      section.write(session)
      #expect(section.read() == session)
    }
  }

  @Test("Memory that is all zero has no session, and that of another version is not believed")
  func versions() {
    withSection { section, memory in
      #expect(section.state == .none)
      section.set(.whole)
      memory.store(SessionSection.version + 1, at: 0)
      #expect(section.state == .changing)
      memory.store(SessionSection.version, at: 0)
      memory.store(77 as UInt32, at: 4)
      #expect(section.state == .changing)
    }
  }

  @Test(
    "Whatever lies there, reading it ends, and counts that can't be are refused", arguments: 0..<200 as Range<UInt64>)
  func rubbish(seed: UInt64) {
    withSection { section, memory in
      var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
      for offset in stride(from: 0, to: memory.count - 7, by: 8) {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        memory.store(state, at: offset)
      }
      _ = section.state
      _ = section.read()
      section.write(session(seed))
      memory.store(UInt32(GuestMemory.maximumRegions + 1), at: [28, 32][Int(seed % 2)])
      #expect(section.read() == nil)
      section.write(session(seed))
      memory.store(UInt32(Self.vringCount - 1), at: 36)
      #expect(section.read() == nil)
    }
  }
}
