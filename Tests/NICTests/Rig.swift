// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

/// One NIC process with a network on its uplink and a front-end connected to it.
final class Rig {
  /// How to build one.
  struct Shape: Sendable, CustomTestStringConvertible {
    var features: UInt64 = Rig.plainFeatures
    var options = DriverQueue.Options()
    var pairs = 1
    var arguments: [String] = []
    var uplink = Network.Kind.sequencedPacket
    var uplinkBuffer: Int32 = 1 << 20
    /// An interface of this thread's network to be the uplink by packet socket; then nothing comes to `network`.
    var interface: String?
    var flavour = FrontEnd.Flavour.qemu10
    /// Where one memory region ends and the next begins, without a hole between.
    var border: UInt64?
    /// Where the test is one of many of its kind.
    var name = ""

    var testDescription: String { name }
  }

  /// A present-day guest's, without offloads and ring features.
  static let plainFeatures = Feature.version1 | Feature.protocolFeatures | Feature.mergeableBuffers

  /// A guest with these has frames of a unix socket read into its memory straight.
  static let receiveOffloads =
    Feature.guestCsum | Feature.guestTSO4 | Feature.guestTSO6 | Feature.guestECN | Feature.guestUSO4 | Feature.guestUSO6

  let nic: NICProcess
  let network: Network
  let frontEnd: FrontEnd
  let guest: MockGuest

  init(_ shape: Shape) throws {
    let (ours, theirs) = try Descriptor.socketPair(Int32(SOCK_STREAM.rawValue))
    network = try Network(shape.uplink, bufferSize: shape.uplinkBuffer)
    let uplink = try #require(network.uplink)
    let name = shape.interface.map { "packet:\($0)" } ?? "fd:\(uplink.number)"
    var arguments = ["--fd=\(theirs.number)", "--uplink", name]
    if shape.pairs > 1 { arguments += ["--queues", "\(shape.pairs)"] }
    nic = try NICProcess(arguments + shape.arguments, inheriting: [theirs, uplink])
    network.uplink = nil
    frontEnd = FrontEnd(socket: ours, ram: try GuestRAM(border: shape.border))
    var features = shape.features
    if shape.pairs > 1 { features |= Feature.multiQueue }
    if shape.options.layout == .packed { features |= Feature.packed }
    if shape.options.indirect { features |= Feature.indirect }
    if shape.options.eventIndex { features |= Feature.eventIndex }
    if shape.options.inOrder { features |= Feature.inOrder }
    guest = try MockGuest(frontEnd: frontEnd, features: features, options: shape.options, pairs: shape.pairs)
    try frontEnd.negotiate(shape.flavour)
  }

  /// Runs `body` against a NIC with running rings. Afterwards the program must still be alive, and end with status 0 at
  /// SIGTERM.
  static func run(_ shape: Shape = Shape(), _ body: (Rig) throws -> Void) throws {
    try runNegotiated(shape) {
      try $0.guest.start()
      try $0.settle()
      try body($0)
    }
  }

  /// The same with a NIC that has seen SET_OWNER and no more.
  static func runNegotiated(_ shape: Shape = Shape(), _ body: (Rig) throws -> Void) throws {
    let rig = try Rig(shape)
    do {
      try body(rig)
    } catch {
      Issue.record("\(error)\nThe program said: \(rig.nic.errors.text)")
    }
    try rig.nic.end()
  }

  /// A small frame that can be told from others.
  static func frame(_ number: Int, payload: Int = 60) -> [UInt8] {
    var builder = FrameBuilder(.v4, .udp, payload: FrontEnd.octets(UInt32(number)) + FrameBuilder.pattern(payload))
    builder.sourcePort = 40000
    return builder.frame()
  }

  /// The number in such a frame.
  static func number(of frame: [UInt8]) throws -> Int {
    let payload = try FrameReader(frame).payload
    return payload[0..<4].reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  /// Proves that `pair` works both ways: one frame out, one in.
  func checkTraffic(pair: Int = 0, number: Int = 1) throws {
    let out = Rig.frame(number)
    try guest.transmit(out, pair: pair)
    #expect(try network.receive().frame == out)
    try guest.reclaim(1, pair: pair)
    let incoming = Rig.frame(number + 1)
    for each in 0..<guest.pairs where guest.receiveQueues[each].outstandingCount == 0 {
      try guest.post(1, lengths: [2048], pair: each)
    }
    try network.send(incoming)
    if guest.pairs == 1 {
      #expect(try guest.receive().frame == incoming)
    }
  }

  /// Waits until the program has handled all messages, and forgets the calls that starting a ring may make.
  func settle() throws {
    try synchronize()
    for index in 0..<2 * guest.pairs { guest.queue(index).call.take() }
  }

  /// Waits until the program has handled all messages sent so far.
  func synchronize() throws {
    _ = try frontEnd.getFeatures()
  }
}
