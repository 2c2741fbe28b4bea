// SPDX-License-Identifier: Apache-2.0

import CLinux
import Memory
import Packets
import Polling

/// A TAP, one descriptor per queue, or one unix socket whose datagrams are what a TAP's reads and writes would be.
///
/// What is written to a TAP appears as received by its interface in the host: the kernel there takes any offload, so
/// nothing limits what may be sent but the frame format. What is read was sent by the host through the interface; how
/// much work is left in it is said by `setReceiveOffloads`.
public final class TapUplink {
  let label: String
  /// Nil for a unix socket.
  private let link: Link?
  let kind: SystemCalls.Kind
  /// Frames on the descriptor begin with the 10-byte header.
  let hasHeader: Bool
  let queueCount: Int
  /// An empty read means that the peer has closed (SOCK_SEQPACKET).
  let emptyMeansClosed: Bool

  let owners: [OwnedDescriptor]
  private let descriptors: RecordBuffer<Int32>
  private var activeQueues: Int
  var isGone = false
  var counters = UplinkCounters()

  init(
    label: String, link: Link?, kind: SystemCalls.Kind, hasHeader: Bool, emptyMeansClosed: Bool = false,
    descriptors owners: [OwnedDescriptor]
  ) {
    self.label = label
    self.link = link
    self.kind = kind
    self.hasHeader = hasHeader
    self.emptyMeansClosed = emptyMeansClosed
    self.owners = owners
    queueCount = owners.count
    activeQueues = owners.count
    descriptors = RecordBuffer(capacity: owners.count, repeating: -1)
    for (index, owner) in owners.enumerated() { descriptors[index] = owner.rawValue }
  }

  deinit {
    descriptors.deallocate()
  }

  func descriptor(queue: Int) -> Int32 { descriptors[queue] }

  func send(
    queue: Int, frames: RecordBuffer<OutgoingFrame>, first: Int, count: Int, vectors: RecordBuffer<IOVector>
  ) -> SendOutcome {
    // A detached queue takes nothing (EBADFD); whatever is still to be sent goes by the first.
    let fd = descriptors[queue < activeQueues ? queue : 0]
    for index in 0..<count {
      let frame = frames[first + index]
      let result = write(fd, frame, vectors)
      if result >= 0 {
        counters.sent(byteCount: frame.byteCount)
      } else if result == ErrorNumber.again || (kind == .datagrams && result == ErrorNumber.noBuffers) {
        return SendOutcome(accepted: index, blocked: true)
      } else {
        counters.sendFailed(result)
      }
    }
    return SendOutcome(accepted: count, blocked: false)
  }

  @inline(__always)
  private func write(_ fd: Int32, _ frame: OutgoingFrame, _ vectors: RecordBuffer<IOVector>) -> Int {
    let first = Int(frame.firstVector)
    let count = Int(frame.vectorCount)
    guard hasHeader else {
      return SystemCalls.withoutHeader(vectors, first: first, count: count) {
        SystemCalls.send(fd, kind, vectors, first: $0, count: $1)
      }
    }
    return SystemCalls.send(fd, kind, vectors, first: first, count: count)
  }

  func receive(queue: Int, vectors: RecordBuffer<IOVector>, first: Int, count: Int) -> Int {
    let result = read(descriptors[queue], vectors, first: first, count: count)
    guard result <= SystemCalls.headerSize else {
      counters.received(byteCount: result)
      return result
    }
    if result == ErrorNumber.again { return 0 }
    if result == 0, emptyMeansClosed {
      isGone = true
      return 0
    }
    return receiveFailed(result, queue: queue)
  }

  @inline(__always)
  private func read(_ fd: Int32, _ vectors: RecordBuffer<IOVector>, first: Int, count: Int) -> Int {
    guard !hasHeader else { return SystemCalls.receive(fd, kind, vectors, first: first, count: count) }
    let result = SystemCalls.withoutHeader(vectors, first: first, count: count) {
      SystemCalls.receive(fd, kind, vectors, first: $0, count: $1)
    }
    guard result > 0 else { return result }
    SystemCalls.clearHeader(vectors, first: first, count: count)
    return result + SystemCalls.headerSize
  }

  private func receiveFailed(_ result: Int, queue: Int) -> Int {
    // A detached queue answers the same as a removed interface, and comes back.
    if result == ErrorNumber.badState {
      if queue < activeQueues { isGone = true }
      return 0
    }
    counters.receiveFailed(result)
    return -1
  }

  func setReceiveOffloads(_ wanted: ReceiveOffloads) -> ReceiveOffloads {
    guard hasHeader else { return [] }
    // The other end of a unix socket is not told, and does as it likes.
    guard kind == .file else { return .all }
    let acceptable = wanted.acceptable
    // UDP segmentation came with Linux 6.2; checksum and TCP segmentation are as old as the header.
    let candidates = [acceptable, acceptable.subtracting([.uso4, .uso6]), []]
    for candidate in candidates where vtcp_tap_set_offloads(descriptors[0], candidate.rawValue) >= 0 {
      return candidate
    }
    return .all
  }

  func setActiveQueues(_ count: Int) {
    let wanted = min(max(count, 1), queueCount)
    while activeQueues < wanted, vtcp_tap_attach_queue(descriptors[activeQueues], 1) >= 0 { activeQueues += 1 }
    while activeQueues > wanted, vtcp_tap_attach_queue(descriptors[activeQueues - 1], 0) >= 0 { activeQueues -= 1 }
  }

  func setMTU(_ mtu: Int) throws(SystemError) {
    try link?.setMTU(mtu)
  }

  var mtu: Int? { try? link?.mtu() }

  /// The interface's own are about the other direction. But what is behind it is not known, most is like it, and it is where an
  /// administrator can say so.
  var egressLimits: EgressLimits? { link?.egressLimits }

  var limits: LinkLimits? {
    guard let link, var limits = try? LinkLimits.read(interface: link.interface) else { return nil }
    // The interface's own abilities are about the other direction; sending into it, the kernel does what it must.
    limits.transmitChecksum = hasHeader
    limits.tso4 = hasHeader
    limits.tso6 = hasHeader
    return limits
  }
}
