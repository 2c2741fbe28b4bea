// SPDX-License-Identifier: Apache-2.0

public import Memory
public import Packets
public import Polling

/// The way from a virtual NIC to the network.
///
/// ## Theory of Operation
///
/// A frame is a 10-byte `virtio_net_hdr`, little-endian, without `num_buffers` (virtio 1.3, 5.1.6), and the Ethernet
/// frame behind it; the header says what work (checksum, segmentation) is left to do. Frames leave in batches (`send`)
/// straight from the owner's vectors, which may be the guest's memory. They arrive one by one: into the owner's
/// vectors (`receive`), or in the uplink's own buffers where the system is better asked for many (`stagesFrames`,
/// `nextFrame`). Nothing blocks; the owner polls `descriptor(queue:)`. One thread uses a queue.
///
/// A link that goes down is survived: frames to it are dropped and counted until it is up again. One that is removed
/// is not (`isGone`).
public enum Uplink {
  /// A TAP, and whatever came as `fd:N`.
  case tap(TapUplink)
  case packetSocket(PacketSocketUplink)
  case null(NullUplink)

  /// Opens what `specification` says.
  ///
  /// - Parameters:
  ///   - queuePairs: how many queues to make where the kind has several.
  ///   - mtu: the MTU to give a TAP made here; other interfaces must not have less.
  public static func open(_ specification: UplinkSpecification, queuePairs: Int, mtu: Int?) throws(UplinkError)
    -> Uplink
  {
    switch specification {
    case .tap(let name): .tap(try TapUplink.open(name: name, queuePairs: queuePairs, mtu: mtu))
    case .packetSocket(let interface): .packetSocket(try PacketSocketUplink.open(interface: interface, mtu: mtu))
    case .descriptor(let number): .tap(try TapUplink.open(descriptor: OwnedDescriptor(number)))
    case .null: .null(NullUplink(queueCount: max(queuePairs, 1)))
    }
  }

  /// Goes on with the descriptors of an uplink that another process had opened, which takes no privilege: `descriptors` of that one, in
  /// its order. Nil if they are not what `specification` says, or not as many queues: it is to be opened anew then.
  public static func resume(
    _ specification: UplinkSpecification, queuePairs: Int, descriptors: [OwnedDescriptor]
  ) throws(UplinkError) -> Uplink? {
    switch specification {
    case .tap(let name):
      try TapUplink.resume(name: name, queuePairs: queuePairs, descriptors: descriptors).map { .tap($0) }
    case .packetSocket(let interface):
      try PacketSocketUplink.resume(interface: interface, descriptors: descriptors).map { .packetSocket($0) }
    case .descriptor: descriptors.count == 1 ? .tap(try TapUplink.open(descriptor: descriptors[0])) : nil
    case .null: nil
    }
  }

  /// All that a successor needs to go on with it (`resume`); empty: it can as well open it anew.
  public var descriptors: [OwnedDescriptor] {
    switch self {
    case .tap(let uplink): uplink.owners
    case .packetSocket(let uplink): uplink.owners
    case .null: []
    }
  }

  /// The kernel's queues: `queuePairs` for a TAP and for `null`, else 1.
  public var queueCount: Int {
    switch self {
    case .tap(let uplink): uplink.queueCount
    case .packetSocket: 1
    case .null(let uplink): uplink.queueCount
    }
  }

  /// The descriptor to poll for a queue; nil: there is none.
  ///
  /// Only active queues may be polled: a detached one (`setActiveQueues`) reports an error without end.
  public func descriptor(queue: Int) -> Int32? {
    switch self {
    case .tap(let uplink): uplink.descriptor(queue: queue)
    case .packetSocket(let uplink): uplink.descriptor
    case .null: nil
    }
  }

  /// After a `send` that was blocked: what becomes writable when more is taken, if that is not the descriptor of the
  /// queue. To be watched by the edge, and only until a `send` is not blocked.
  public var blockedDescriptor: Int32? {
    switch self {
    case .packetSocket(let uplink): uplink.blockedDescriptor
    case .tap, .null: nil
    }
  }

  /// The interface's MTU in bytes; nil where there is no interface to ask. Read anew each time.
  public var mtu: Int? {
    switch self {
    case .tap(let uplink): uplink.mtu
    case .packetSocket(let uplink): uplink.mtu
    case .null: nil
    }
  }

  /// What the interface takes; nil where there is no interface to ask. Read anew each time, by a socket of rtnetlink, which
  /// a program that has confined itself can't open.
  public var limits: LinkLimits? {
    switch self {
    case .tap(let uplink): uplink.limits
    case .packetSocket(let uplink): uplink.limits
    case .null: nil
    }
  }

  /// What it takes in one piece of a frame that is to be segmented; nil where there is no interface to ask. Read anew each time, also
  /// by a program that has confined itself.
  public var egressLimits: EgressLimits? {
    switch self {
    case .tap(let uplink): uplink.egressLimits
    case .packetSocket(let uplink): uplink.egressLimits
    case .null: nil
    }
  }

  /// For logs: "tap:vtap0".
  public var name: String {
    switch self {
    case .tap(let uplink): uplink.label
    case .packetSocket(let uplink): "packet:\(uplink.interface)"
    case .null: "null"
    }
  }

  /// False for a TAP without header: frames must come complete, with checksums and no longer than the MTU allows, and
  /// arrive so.
  public var carriesOffloads: Bool {
    switch self {
    case .tap(let uplink): uplink.hasHeader
    case .packetSocket, .null: true
    }
  }

  /// The virtio headers of frames that arrive come from the kernel and need no check.
  public var headersAreSound: Bool {
    switch self {
    case .tap(let uplink): uplink.kind == .file
    case .packetSocket: true
    case .null: true
    }
  }

  /// Frames come by `nextFrame`, not by `receive`.
  public var stagesFrames: Bool {
    switch self {
    case .packetSocket: true
    case .tap, .null: false
    }
  }

  /// The interface was removed or the peer has closed: nothing will arrive any more, and the descriptor, which would
  /// report that without end, is to be polled no longer. Learnt by receiving.
  public var isGone: Bool {
    switch self {
    case .tap(let uplink): uplink.isGone
    case .packetSocket, .null: false
    }
  }

  public var counters: UplinkCounters {
    switch self {
    case .tap(let uplink): uplink.counters
    case .packetSocket(let uplink): uplink.counters
    case .null(let uplink): uplink.counters
    }
  }

  /// Says what may be handed up, and returns what will be nevertheless: a TAP keeps to it, a packet socket and a unix
  /// socket may hand up everything.
  @discardableResult
  public func setReceiveOffloads(_ wanted: ReceiveOffloads) -> ReceiveOffloads {
    switch self {
    case .tap(let uplink): uplink.setReceiveOffloads(wanted)
    case .packetSocket: .all
    case .null: []
    }
  }

  /// The first `count` queues are in use, and arriving frames are spread over these only. For a TAP of several queues.
  public func setActiveQueues(_ count: Int) {
    guard case .tap(let uplink) = self else { return }
    uplink.setActiveQueues(count)
  }

  /// Sets the interface's MTU, in bytes; does nothing where there is no interface.
  public func setMTU(_ mtu: Int) throws(SystemError) {
    switch self {
    case .tap(let uplink): try uplink.setMTU(mtu)
    case .packetSocket(let uplink): try uplink.setMTU(mtu)
    case .null: return
    }
  }

  /// Sends `count` frames from `first` on, in order.
  public func send(
    queue: Int, frames: RecordBuffer<OutgoingFrame>, first: Int, count: Int, vectors: RecordBuffer<IOVector>
  ) -> SendOutcome {
    switch self {
    case .tap(let uplink):
      uplink.send(queue: queue, frames: frames, first: first, count: count, vectors: vectors)
    case .packetSocket(let uplink):
      uplink.send(frames: frames, first: first, count: count, vectors: vectors)
    case .null(let uplink):
      uplink.send(frames: frames, first: first, count: count)
    }
  }

  /// Receives one frame, header first, into `count` vectors from `first` on; a TAP cuts off what does not fit.
  ///
  /// - Returns: the bytes received; 0 when nothing is there; negative for an error that was counted, after which more
  ///   frames may be there.
  public func receive(queue: Int, vectors: RecordBuffer<IOVector>, first: Int, count: Int) -> Int {
    // A switch, since `guard case` copies the reference out and so counts it, once a frame.
    switch self {
    case .tap(let uplink): uplink.receive(queue: queue, vectors: vectors, first: first, count: count)
    case .packetSocket, .null: 0
    }
  }

  /// The next frame, header first, in the uplink's buffer, which holds it until the next call; nil: none is there.
  public func nextFrame(queue: Int) -> ByteRegion? {
    switch self {
    case .packetSocket(let uplink): uplink.nextFrame()
    case .tap, .null: nil
    }
  }
}
