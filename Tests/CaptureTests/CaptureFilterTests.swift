// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import Testing
import Wire

@testable import Capture

@Suite struct CaptureFilterTests {
  private static let ipv4 = EndMatch(ipVersion: 4, addressHigh: 0, addressLow: 0xc000_0201)
  private static let ipv6 = EndMatch(ipVersion: 6, addressHigh: 0x2001_0db8_0000_0000, addressLow: 0xc633_6402)

  private static func frames() -> [[UInt8]] {
    var four = FrameSpecification()
    four.vlanTags = [0x8100]
    var six = FrameSpecification()
    six.ipVersion = 6
    six.transport = .udp
    // 192.0.2.1:49152 > 198.51.100.2:443; the same as IPv6; ARP; nothing.
    let arp = Array(four.encode().prefix(12)) + [0x08, 0x06] + [UInt8](repeating: 0, count: 28)
    return [four.encode(), six.encode(), arp, [1, 2, 3]]
  }

  /// Which of the frames fit.
  private static func fitting(_ change: (inout CaptureFilter) -> Void) throws -> [Int] {
    var filter = CaptureFilter()
    change(&filter)
    var found: [Int] = []
    for (place, bytes) in frames().enumerated() {
      let rig = CaptureRig(filter: filter)
      rig.show(bytes)
      if try !rig.packets().isEmpty { found.append(place) }
    }
    return found
  }

  @Test("A frame fits that is all that is said")
  func fits() throws {
    #expect(try Self.fitting { _ in } == [0, 1, 2, 3])
    #expect(try Self.fitting { $0.interface = .guest } == [0, 1, 2, 3])
    #expect(try Self.fitting { $0.interface = .network } == [])
    #expect(try Self.fitting { $0.etherType = EtherType.arp } == [2])
    #expect(try Self.fitting { $0.transportProtocols = [IPProtocol.tcp] } == [0])
    #expect(try Self.fitting { $0.ends = [EndMatch(port: 443)] } == [0, 1])
    #expect(try Self.fitting { $0.ends = [Self.ipv4] } == [0])
    #expect(try Self.fitting { $0.ends = [Self.ipv6] } == [1])
    #expect(try Self.fitting { $0.ends = [Self.ipv4, EndMatch(port: 443)] } == [0])
    #expect(try Self.fitting { $0.ends = [Self.ipv4, Self.ipv6] } == [])
    // The address is one end's, the port the other's.
    let mixed = EndMatch(ipVersion: 4, addressHigh: 0, addressLow: 0xc000_0201, port: 443)
    #expect(try Self.fitting { $0.ends = [mixed] } == [])
  }

  @Test("No octets make it stumble, and what is read back is what was shown")
  func hostileFrames() throws {
    var random = SplitMix64(seed: 3)
    let frames = Self.frames()
    for _ in 0..<20_000 {
      var bytes = frames[Int(random.next() % 4)]
      for _ in 0..<Int(random.next() % 6) {
        bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(random.next() & 255)
      }
      bytes = Array(bytes.prefix(Int(random.next() % UInt64(bytes.count + 1))))
      guard !bytes.isEmpty else { continue }
      var filter = CaptureFilter()
      filter.ends = [EndMatch(port: 443), Self.ipv4]
      let isFitting = CaptureRig(filter: filter, snapLength: .headers)
      isFitting.show(bytes)
      #expect(try isFitting.packets().count <= 1)
    }
  }
}
