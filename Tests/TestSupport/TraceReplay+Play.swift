// SPDX-License-Identifier: Apache-2.0

extension TraceReplay {
  /// The queues of the replayed guest, by vring index.
  public final class Session {
    public let frontEnd: FrontEnd
    public private(set) var queues: [UInt32: DriverQueue] = [:]
    /// Replies that came, in order.
    public private(set) var replies: [FrontEnd.Message] = []
    var offered: UInt64 = 0
    var offeredProtocol: UInt64 = 0
    private var addressed: UInt32 = 0
    var bitmap: DirtyBitmap?
    var statePipe: Descriptor?

    public init(_ frontEnd: FrontEnd) {
      self.frontEnd = frontEnd
    }

    func queue(_ index: UInt32) throws -> DriverQueue {
      if let queue = queues[index] { return queue }
      let isPacked = frontEnd.features & Feature.packed != 0
      let queue = try DriverQueue(
        ram: frontEnd.ram, options: DriverQueue.Options(layout: isPacked ? .packed : .split))
      queues[index] = queue
      return queue
    }

    func take(_ reply: FrontEnd.Message) {
      replies.append(reply)
    }

    /// SET_VRING_ADDR is recorded without its vring in one form: it is the one of the SET_VRING_BASE before it, and
    /// when repeated alone (migration's start) they come in order.
    func addressedVring(after previous: Step?, of count: UInt32) -> UInt32 {
      if let previous, previous.request == .setVringBase, let index = previous.state?.index {
        addressed = index
      } else {
        addressed = previous?.request == .setVringAddress ? addressed + 1 : 0
      }
      return addressed
    }
  }

  /// Plays all steps, skipping the requests in `unsupported`. Throws when a reply is missing, is another's, or comes
  /// where none is due.
  public func play(on session: Session, skipping unsupported: Set<Request> = []) throws {
    var previous: Step?
    for step in steps where !unsupported.contains(step.request) {
      do {
        try play(step, after: previous, on: session)
      } catch {
        throw TestFailure("\(step.line): \(error)")
      }
      previous = step
    }
    // A reply that nobody asked for would come before this one.
    _ = try session.frontEnd.getFeatures()
  }

  private func play(_ step: Step, after previous: Step?, on session: Session) throws {
    let frontEnd = session.frontEnd
    let (payload, descriptors) = try payload(of: step, after: previous, on: session)
    try frontEnd.send(
      step.request.rawValue, flags: step.flags, payload: payload, descriptors: descriptors.map(\.number))
    let isAcknowledged =
      step.flags & FrontEnd.needReply != 0 && frontEnd.protocolFeatures & ProtocolFeature.replyAck != 0
    guard step.request.hasReply || isAcknowledged else { return }
    let reply = try frontEnd.answer(to: step.request)
    session.take(reply)
    if step.request == .getFeatures { session.offered = reply.number ?? 0 }
    if step.request == .getProtocolFeatures { session.offeredProtocol = reply.number ?? 0 }
    if !step.request.hasReply || step.request == .setLogBase || step.request == .checkDeviceState, reply.number != 0 {
      throw TestFailure("refused with \(reply.payload)")
    }
  }

  private func payload(
    of step: Step, after previous: Step?, on session: Session
  ) throws -> (payload: [UInt8], descriptors: [Descriptor]) {
    let frontEnd = session.frontEnd
    let ram = frontEnd.ram
    switch step.request {
    case .setFeatures:
      frontEnd.features = (step.number ?? 0) & session.offered
      return (FrontEnd.octets(frontEnd.features), [])
    case .setProtocolFeatures:
      frontEnd.protocolFeatures = (step.number ?? 0) & session.offeredProtocol
      return (FrontEnd.octets(frontEnd.protocolFeatures), [])
    case .setMemoryTable:
      return (FrontEnd.memoryTable(ram.regions), ram.regions.map { _ in ram.descriptor })
    case .addMemoryRegion:
      let isFirst = step.line.contains("gpa=0x0 ")
      return (FrontEnd.memoryRegion(ram.regions[isFirst ? 0 : 1]), [ram.descriptor])
    case .setVringAddress:
      let index = step.state?.index ?? session.addressedVring(after: previous, of: 2)
      let queue = try session.queue(index)
      return (
        FrontEnd.vringAddress(
          index, descriptors: ram.userAddress(of: queue.descriptorArea), used: ram.userAddress(of: queue.deviceArea),
          available: ram.userAddress(of: queue.driverArea)), []
      )
    case .setVringKick, .setVringCall, .setVringError:
      let index = UInt32(step.state?.index ?? UInt32(truncatingIfNeeded: step.number ?? 0))
      let queue = try session.queue(index)
      let event = step.request == .setVringKick ? queue.kick : step.request == .setVringCall ? queue.call : queue.error
      return (FrontEnd.octets(UInt64(index)), [event.descriptor])
    case .setLogBase:
      let bitmap = try DirtyBitmap(covering: ram.size)
      session.bitmap = bitmap
      return (FrontEnd.octets(UInt64(bitmap.size)) + FrontEnd.octets(UInt64(0)), [bitmap.descriptor])
    case .setDeviceState:
      let (reader, writer) = try Descriptor.pipe()
      session.statePipe = reader
      return (FrontEnd.octets(step.number ?? 0), [writer])
    case .setBackEndChannel:
      let (ours, theirs) = try Descriptor.socketPair(1)
      frontEnd.backEndChannel = ours
      return ([], [theirs])
    default:
      if let state = step.state { return (FrontEnd.vringState(state.index, state.number), []) }
      return (step.size == 8 ? FrontEnd.octets(step.number ?? 0) : [UInt8](repeating: 0, count: step.size), [])
    }
  }
}
