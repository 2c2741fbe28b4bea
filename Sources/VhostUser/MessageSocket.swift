// SPDX-License-Identifier: Apache-2.0

import Memory
import Polling

/// Takes whole messages out of the front-end's stream and puts replies into it, without ever waiting.
///
/// A message may arrive in any number of pieces; what has arrived is kept until the rest is here. Header and payload
/// are received apart, so that descriptors, which come with a message's first byte, never stick to another message.
final class MessageSocket {
  enum Incoming {
    case message(Message)
    /// Not all of the next message has arrived.
    case incomplete
    /// The front-end has closed the connection.
    case closed
    /// What arrived is no message; nothing after it can be understood.
    case broken(String)
  }

  /// No message carries more (a memory table of eight regions).
  private static let maximumDescriptors = 8
  /// Replies that a front-end may leave unread before we stop taking its requests. Bytes.
  private static let maximumOutgoing = 4096

  private let socket: OwnedDescriptor
  private let buffer = ByteRegion.allocate(count: MessageHeader.byteCount + MessageHeader.maximumPayload)
  private var received = 0
  private var descriptors: [OwnedDescriptor] = []
  private var outgoing: [UInt8] = []

  init(_ socket: OwnedDescriptor) { self.socket = socket }

  deinit { buffer.deallocate() }

  /// Whether replies wait for the front-end to read; no further request is taken until it has.
  var isCongested: Bool { !outgoing.isEmpty }

  /// Neither a part of a message nor a part of a reply is on its way.
  var isQuiet: Bool { received == 0 && outgoing.isEmpty }

  func next() -> Incoming {
    guard outgoing.count < Self.maximumOutgoing else { return .incomplete }
    while true {
      var wanted = MessageHeader.byteCount
      if received >= MessageHeader.byteCount {
        let header = MessageHeader(decoding: buffer)
        guard header.isVersionKnown else { return .broken("a message has version \(header.flags & 3), not 1") }
        guard header.payloadSize <= MessageHeader.maximumPayload else {
          return .broken("a message has a payload of \(header.payloadSize) bytes")
        }
        wanted += Int(header.payloadSize)
        if received == wanted { return .message(take(header)) }
      }
      switch UnixSocket.receive(
        socket.rawValue, into: buffer.slice(from: received, count: wanted - received), descriptors: &descriptors)
      {
      case .bytes(let count):
        received += count
        guard descriptors.count <= Self.maximumDescriptors else {
          return .broken("a message came with more than \(Self.maximumDescriptors) file descriptors")
        }
      case .truncated: return .broken("file descriptors were lost on the way; is the limit of open files too low?")
      case .wouldBlock: return .incomplete
      case .closed: return .closed
      case .failed(let error): return .broken("\(error)")
      }
    }
  }

  private func take(_ header: MessageHeader) -> Message {
    let payload = buffer.slice(from: MessageHeader.byteCount, count: Int(header.payloadSize))
    let message = Message(header: header, payload: payload, descriptors: descriptors)
    received = 0
    descriptors = []
    return message
  }

  /// Sends a reply, or keeps what the front-end does not take now. False if the connection is gone.
  func reply(to request: UInt32, _ payload: [UInt8]) -> Bool {
    let region = ByteRegion.allocate(count: MessageHeader.byteCount)
    defer { region.deallocate() }
    MessageHeader(replyTo: request, payloadSize: payload.count).encode(into: region)
    outgoing += region.bytes + payload
    return flush()
  }

  /// Sends what waits. False if the connection is gone.
  func flush() -> Bool {
    while !outgoing.isEmpty {
      let region = ByteRegion.allocate(count: outgoing.count)
      defer { region.deallocate() }
      region.copy(from: outgoing)
      switch UnixSocket.send(socket.rawValue, region, descriptors: []) {
      case .bytes(let count): outgoing.removeFirst(min(count, outgoing.count))
      case .wouldBlock: return true
      case .failed: return false
      }
    }
    return true
  }
}
