// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import Memory
import Testing
import Wire

@Suite("Flow hash: one value for both directions")
struct FlowHashTests {
  private func hash(_ bytes: [UInt8], seed: UInt64 = 1) -> UInt32? {
    ByteRegion.with(bytes) { region in
      FrameLayout(parsing: region, frameLength: region.count).map { FlowHash(seed: seed)($0, region) }
    }
  }

  private func reversed(_ frame: FrameSpecification) -> FrameSpecification {
    var reply = frame
    (reply.sourceAddress, reply.destinationAddress) = (frame.destinationAddress, frame.sourceAddress)
    (reply.sourcePort, reply.destinationPort) = (frame.destinationPort, frame.sourcePort)
    return reply
  }

  @Test(arguments: 0..<200)
  func bothDirectionsOfAConnectionHashAlike(seed: Int) {
    var generator = SplitMix64(seed: UInt64(seed))
    var frame = FrameSpecification.random(payloadLength: 8, using: &generator)
    let forward = hash(frame.encode())
    frame.sequenceNumber &+= 1
    frame.payload = [1]
    #expect(hash(reversed(frame).encode()) == forward)
    #expect(hash(frame.encode(), seed: 2) != forward)
  }

  @Test(arguments: [4, 6])
  func eachFieldOfTheFlowChangesTheHash(version: Int) {
    var frame = FrameSpecification()
    frame.ipVersion = version
    let original = hash(frame.encode())
    let changes: [(inout FrameSpecification) -> Void] = [
      { $0.sourcePort += 1 }, { $0.destinationPort += 1 }, { $0.transport = .udp },
      { $0.sourceAddress[3] += 1 }, { $0.destinationAddress[3] += 1 },
      // The two ports exchanged, the addresses not, is another connection.
      { ($0.sourcePort, $0.destinationPort) = ($0.destinationPort, $0.sourcePort) },
    ]
    for change in changes {
      var changed = frame
      change(&changed)
      #expect(hash(changed.encode()) != original)
    }
  }

  @Test func allFragmentsOfAPacketHashAlike() {
    var first = FrameSpecification().encode()
    var later = first
    first.replaceSubrange(20..<22, with: [0x20, 0x00])
    later.replaceSubrange(20..<22, with: [0x00, 0xb9])
    later.replaceSubrange(34..<38, with: [9, 9, 9, 9])
    #expect(hash(first) == hash(later))
  }

  @Test func framesThatAreNotIPHashOverBothStationsAlike() {
    let payload: [UInt8] = [0x88, 0xcc] + [UInt8](repeating: 7, count: 46)
    let one: [UInt8] = [0x52, 0x54, 0, 0, 0, 1]
    let other: [UInt8] = [0x52, 0x54, 0, 0, 0, 2]
    #expect(hash(one + other + payload) == hash(other + one + payload))
    #expect(hash(one + one + payload) != hash(other + one + payload))
  }

  @Test func flowsWithNeighbouringPortsSpreadOverTheBuckets() {
    var counts = [Int](repeating: 0, count: 8)
    for port in 0..<1024 {
      var frame = FrameSpecification()
      frame.sourcePort = UInt16(32768 + port)
      counts[Int((hash(frame.encode()) ?? 0) % 8)] += 1
    }
    // 128 expected; 64 is six standard deviations away.
    #expect(counts.allSatisfy { (64...192).contains($0) }, "\(counts)")
  }
}
