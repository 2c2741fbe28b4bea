// SPDX-License-Identifier: Apache-2.0

import Memory
public import Polling
import Virtio

/// Going on with a connection that another process had: docs/decisions/0026.
extension BackEnd {
  /// What the front-end has said so far; nil: in doubt, so that no other process could go on from it.
  var session: Session? {
    guard isQuiet, stateTransfer == nil, parkedState == nil else { return nil }
    var session = Session(vrings: vrings)
    session.features = memory.log.isWanted ? features.union(.logAll) : features
    session.protocolFeatures = protocolFeatures
    session.status = status
    session.areFeaturesRefused = areFeaturesRefused
    session.hasRequestChannel = requestChannel != nil
    session.hasLogCall = hasLogCall
    session.log = logPlace
    session.regions = mappings.map { .init(description: $0.description, slot: memorySlots[$0.identity] ?? 0) }
    session.removed = removed
    return session
  }

  /// Whether a process that takes over now could go on; call it when the manager has taken something, too.
  public func settle() { keeper?.settle(session) }

  /// Says again, in the place of the front-end, all that it said to the process before us, so that each word is checked anew, and goes
  /// on with its rings where that process stopped. Throws if something is missing or refused: the connection is to be closed then.
  ///
  /// - Parameter handed: where the session's descriptors are.
  public func resume(_ handed: inout HandedDescriptors) throws(SessionError) {
    guard let keeper, let session = keeper.session() else { throw .damaged }
    keeper.isResuming = true
    isResuming = true
    defer {
      keeper.isResuming = false
      isResuming = false
    }
    try repeatFeatures(session, &handed)
    try repeatMemory(session, &handed)
    for index in session.vrings.indices { try repeatVring(index, session.vrings[index], &handed) }
    if session.protocolFeatures.contains(.status) {
      try say(.setStatus, UInt64(session.status).littleEndianBytes)
    }
    areFeaturesRefused = session.areFeaturesRefused
    removed = session.removed
    guard self.session == session else { throw .damaged }
    keeper.countResumption()
  }

  private func repeatFeatures(_ session: Session, _ handed: inout HandedDescriptors) throws(SessionError) {
    try say(.setProtocolFeatures, session.protocolFeatures.rawValue.littleEndianBytes)
    try say(.setFeatures, session.features.rawValue.littleEndianBytes)
    if session.hasRequestChannel {
      try say(.setBackendReqFD, [], [descriptor(SessionName.requestChannel, &handed)])
    }
  }

  private func repeatMemory(_ session: Session, _ handed: inout HandedDescriptors) throws(SessionError) {
    var files: [Int: OwnedDescriptor] = [:]
    for region in session.regions where files[region.slot] == nil {
      files[region.slot] = try descriptor(SessionName.memory(region.slot), &handed)
    }
    do throws(RequestError) {
      var table: [MappedRegion] = []
      for region in session.regions {
        guard let file = files[region.slot] else { continue }
        let mapped = try MappedRegion(region.description, file: file)
        guard !table.contains(where: { $0.region.overlaps(mapped.region) }) else {
          throw .refused("two regions of the table overlap")
        }
        memorySlots[mapped.identity] = region.slot
        table.append(mapped)
      }
      replaceMemory(by: table)
    } catch {
      throw .refused("guest memory: \(error)")
    }
    if let log = session.log {
      try say(
        .setLogBase, log.size.littleEndianBytes + log.offset.littleEndianBytes, [descriptor(SessionName.log, &handed)])
      guard logPlace == log else { throw .refused("the dirty log can't be mapped") }
    }
    if session.hasLogCall { try say(.setLogFD, [], [descriptor(SessionName.logCall, &handed)]) }
  }

  /// In an order that has no effects but those that are wanted; an enabled vring is served in the next turn.
  private func repeatVring(
    _ index: Int, _ vring: Vring, _ handed: inout HandedDescriptors
  ) throws(SessionError) {
    if vring.size > 0 { try say(.setVringNum, state(index, UInt32(vring.size))) }
    try say(.setVringBase, state(index, vring.base))
    if let addresses = vring.addresses { try say(.setVringAddr, addresses.encoded) }
    let number = UInt64(index).littleEndianBytes
    if vring.hasCall { try say(.setVringCall, number, [descriptor(SessionName.call(index), &handed)]) }
    if vring.hasError { try say(.setVringErr, number, [descriptor(SessionName.error(index), &handed)]) }
    if vring.isRunning {
      if vring.hasKick {
        try say(.setVringKick, number, [descriptor(SessionName.kick(index), &handed)])
      } else {
        try say(.setVringKick, UInt64(index | 0x100).littleEndianBytes)
      }
    }
    if vring.isEnabled || vring.isDraining { try say(.setVringEnable, state(index, 1)) }
    if !vring.isEnabled, vring.isDraining || vrings[index].isEnabled { try say(.setVringEnable, state(index, 0)) }
  }

  private func state(_ index: Int, _ value: UInt32) -> [UInt8] {
    UInt32(truncatingIfNeeded: index).littleEndianBytes + value.littleEndianBytes
  }

  private func descriptor(_ name: String, _ handed: inout HandedDescriptors) throws(SessionError) -> OwnedDescriptor {
    guard let found = handed.take(name) else { throw .missing(name) }
    return found
  }

  /// Carries out a request as if the front-end had sent it; nothing is answered.
  private func say(
    _ request: FrontEndRequest, _ payload: [UInt8], _ descriptors: [OwnedDescriptor] = []
  ) throws(SessionError) {
    let region = ByteRegion.allocate(count: max(payload.count, 1))
    defer { region.deallocate() }
    region.copy(from: payload)
    let bytes = region.slice(from: 0, count: payload.count)
    var message = Message(
      header: MessageHeader(replyTo: request.rawValue, payloadSize: payload.count), payload: bytes,
      descriptors: descriptors)
    do throws(RequestError) {
      _ = try carryOut(&message)
    } catch {
      throw .refused("\(request): \(error)")
    }
  }
}
