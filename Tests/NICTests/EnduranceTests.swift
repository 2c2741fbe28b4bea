// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import TestSupport
import Testing

extension NICTests {
  /// Every message 100 000 times, and 1000 connections: descriptors, mappings and memory stay as they are.
  ///
  /// CVE-2019-14818, CVE-2020-10726, CVE-2022-0669, and SET_VRING_NUM that allocates each time.
  @Suite struct EnduranceTests {
    /// `VTCP_LONG=1`: as often as that; else a twentieth, to be quick.
    static let isLong = ProcessInfo.processInfo.environment["VTCP_LONG"] != nil
    static let repeats = isLong ? 100_000 : 5_000
    static let connections = isLong ? 1000 : 50

    struct State: Equatable {
      var descriptors: Int
      var mappings: Int

      init(_ nic: NICProcess) throws {
        descriptors = try nic.openDescriptors()
        mappings = try nic.memoryMappings()
      }
    }

    /// A payload for it and the descriptors that go with it.
    private func message(_ request: Request, _ rig: Rig, _ stray: Event) -> (payload: [UInt8], descriptors: [Int32]) {
      let ram = rig.frontEnd.ram
      switch request {
      case .setFeatures: return (FrontEnd.octets(rig.guest.features), [])
      case .setProtocolFeatures: return (FrontEnd.octets(rig.frontEnd.protocolFeatures), [])
      case .setMemoryTable: return (FrontEnd.memoryTable(ram.regions), ram.regions.map { _ in ram.descriptor.number })
      case .addMemoryRegion, .removeMemoryRegion:
        return (FrontEnd.memoryRegion(ram.regions[0]), request == .addMemoryRegion ? [ram.descriptor.number] : [])
      case .setVringNumber, .setVringBase, .getVringBase: return (FrontEnd.vringState(3, 256), [])
      case .setVringEnable: return (FrontEnd.vringState(3, 1), [])
      case .setVringAddress:
        return (
          FrontEnd.vringAddress(3, descriptors: 0x7f11_0000_0000, used: 0x7f11_0001_0000, available: 0x7f11_0002_0000),
          []
        )
      case .setVringKick, .setVringCall, .setVringError: return (FrontEnd.octets(UInt64(3)), [stray.number])
      case .setBackEndChannel, .setLogDescriptor, .setInflight, .gpuSetSocket: return ([], [stray.number])
      case .netSetMTU: return (FrontEnd.octets(UInt64(1500)), [])
      case .setStatus: return (FrontEnd.octets(UInt64(0xf)), [])
      case .sendRARP: return ([2, 0, 0, 0, 0, 1, 0, 0], [])
      default: return ([UInt8](repeating: 0, count: 8), [stray.number])
      }
    }

    @Test("Each message over and over costs neither descriptors, mappings nor memory", arguments: Request.allCases)
    func messages(request: Request) throws {
      var shape = Rig.Shape(options: .init(size: 16), pairs: 2)
      shape.features |= Feature.guestAnnounce
      try Rig.run(shape) { (rig) throws in
        let stray = try Event()
        let (payload, descriptors) = message(request, rig, stray)
        func send(_ count: Int) throws {
          for number in 0..<count {
            try rig.frontEnd.send(request.rawValue, payload: payload, descriptors: descriptors)
            if request.hasReply {
              _ = try rig.frontEnd.answer(to: request)
            } else if number % 50 == 0 {
              try rig.synchronize()
            }
          }
          try rig.synchronize()
        }
        try send(2000)
        let before = (try State(rig.nic), try rig.nic.residentKibibytes())
        try send(Self.repeats)
        #expect(try State(rig.nic) == before.0)
        #expect(try rig.nic.residentKibibytes() <= before.1 + 256, "KiB, before \(before.1)")
        #expect(rig.nic.errors.lines.count < 150)
      }
    }

    @Test(
      "Connections over and over, in either role, cost neither descriptors, mappings nor memory",
      arguments: [false, true])
    func reconnects(isListening: Bool) throws {
      let path = "/tmp/nic-\(getpid())-\(UInt32.random(in: 0...UInt32.max)).sock"
      let listener = isListening ? nil : try FrontEnd.listen(at: path)
      defer { unlink(path) }
      let nic = try NICProcess(["--\(isListening ? "socket-path" : "connect")=\(path)", "--uplink", "null"])
      defer { nic.kill() }
      let ram = try GuestRAM(size: 4 << 20)
      var (states, memory): ([State], [Int]) = ([], [])
      for number in 0..<Self.connections {
        let socket = try listener.map { try FrontEnd.accept(from: $0) } ?? FrontEnd.connect(to: path)
        let frontEnd = FrontEnd(socket: socket, ram: ram)
        try frontEnd.negotiate()
        ram.mark = 0x10_0000
        let guest = try MockGuest(frontEnd: frontEnd, features: Rig.plainFeatures, options: .init(size: 16))
        try guest.start()
        try guest.transmit(Rig.frame(number))
        try guest.reclaim(1)
        states.append(try State(nic))
        memory.append(try nic.residentKibibytes())
      }
      #expect(Set(states.map(\.descriptors)).count == 1 && Set(states.map(\.mappings)).count == 1)
      #expect((memory.last ?? 0) <= memory[memory.count / 10] + 256, "KiB")
      try nic.end()
    }
  }
}
