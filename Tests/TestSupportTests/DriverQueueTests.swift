// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@Suite struct DriverQueueTests {
  static let shapes: [DriverQueue.Options] = DriverQueue.Layout.allCases.flatMap { layout in
    [false, true].flatMap { indirect in
      [false, true].map { DriverQueue.Options(layout: layout, size: 8, indirect: indirect, inOrder: $0) }
    }
  }

  @Test("What a loop device copies comes back to the driver, many times around the ring", arguments: shapes)
  func loop(options: DriverQueue.Options) throws {
    let ram = try GuestRAM(size: 4 << 20)
    let queue = try DriverQueue(ram: ram, options: options)
    var device = LoopDevice(queue)
    let source = try ram.allocate(64)
    let target = try ram.allocate(64)
    for round in 0..<40 {
      let octets = FrameBuilder.pattern(48, seed: round)
      ram.write(octets, at: source)
      let elements = [
        DriverQueue.Element(address: source, length: 30, isWritable: false),
        DriverQueue.Element(address: source + 30, length: 18, isWritable: false),
        DriverQueue.Element(address: target, length: 64, isWritable: true),
      ]
      var tokens: [Int] = []
      while tokens.count < 2, queue.hasRoom(for: 3) { tokens.append(try queue.add(elements)) }
      #expect(queue.kickIfNeeded())
      #expect(device.run() == tokens.count)
      let used = try queue.collectUsed()
      #expect(used.map(\.token) == tokens)
      #expect(used.allSatisfy { $0.length == 48 })
      #expect(ram.read(at: target, count: 48) == octets)
    }
    #expect(queue.outstandingCount == 0)
  }

  @Test("With the event index a kick is sent only when the device asked for that buffer")
  func suppression() throws {
    let ram = try GuestRAM(size: 4 << 20)
    let queue = try DriverQueue(ram: ram, options: DriverQueue.Options(size: 8, eventIndex: true))
    let element = DriverQueue.Element(address: try ram.allocate(64), length: 64, isWritable: true)
    try queue.add([element])
    #expect(queue.kickIfNeeded())
    try queue.add([element])
    #expect(!queue.kickIfNeeded())
    var device = LoopDevice(queue)
    #expect(device.run() == 2)
    try queue.add([element])
    #expect(queue.kickIfNeeded())
  }
}
