// SPDX-License-Identifier: Apache-2.0

import Memory
public import Polling
public import Virtio

/// The back-end's half of the vhost-user protocol, for one connection to one front-end.
///
/// # Theory of operation
///
/// `messagesArrived` takes whole messages from the socket and carries out each before the next, in the order of the
/// stream; a front-end may rely on the effects being in place when the reply arrives. It tells the `device` what
/// follows for the virtqueues and keeps what the front-end said in `Vring` records. The order in which a front-end
/// says things is loose (QEMU enables rings before it sets features, and sets call descriptors before there are
/// rings), so each fact is taken when it comes and a vring starts when its kick descriptor arrives and everything
/// else is known.
///
/// Nothing here waits: half a message waits in the socket's buffer, an unread reply in its outgoing one. A request
/// that is unknown, malformed or out of place is answered (if an answer was asked for) and told in the log; it changes
/// nothing. Only a stream that can't be understood any more ends the connection.
///
/// Not built: postcopy, vIOMMU (IOTLB), in-flight tracking, the configuration space. None
/// of their feature bits is offered, and their requests are answered accordingly.
public final class BackEnd {
  /// Virtio features that we offer, whatever uplink and host can do: what they lack is done in software, so that a
  /// guest can be taken over by any other instance of this program.
  ///
  /// VIRTIO_F_RING_RESET is not among them: QEMU passes the bit on and then tells no vhost-user back-end of the reset
  /// (docs/decisions/0012).
  public static let offeredFeatures: VirtioFeatures = [
    .checksum, .guestChecksum, .mtu, .guestTSO4, .guestTSO6, .guestECN, .hostTSO4, .hostTSO6, .hostECN,
    .mergeableReceiveBuffers, .guestAnnounce, .multiqueue, .notifyOnEmpty, .logAll, .anyLayout, .indirectDescriptors,
    .eventIndex, .protocolFeatures, .version1, .packedRing, .inOrder, .guestUSO4, .guestUSO6, .hostUSO,
  ]

  /// What became of a connection after its messages were handled.
  public enum Outcome: Equatable {
    case goOn
    /// The front-end has gone.
    case closed
    /// The connection can't be used any more; why.
    case broken(String)
  }

  /// Requests handled before the datapath gets its turn.
  private static let messagesPerTurn = 32

  private static let refusalsTold = 20

  let device: any BackEndDevice
  let memory: GuestMemory
  let log: Log
  /// What `GET_QUEUE_NUM` answers.
  let queueLimit: Int
  private let socket: MessageSocket
  private let counters: FrontEndCounters
  private var refusals = 0
  /// Kept open for as long as the connection lasts; QEMU complains when it is closed.
  var requestChannel: OwnedDescriptor?
  var hasLogCall = false
  /// Without `logAll`, which is a switch and no property of the device.
  var features: VirtioFeatures = []
  /// The bitmap in which written pages are marked.
  var dirtyLog: MappedFile?
  var logPlace: Session.Log?
  var protocolFeatures: ProtocolFeatures = []
  let offeredProtocolFeatures: ProtocolFeatures
  let poller: Poller
  /// Under which the pipe of a device state is registered.
  let stateToken: UInt64
  var stateTransfer: StateTransfer?
  /// A state that was loaded, until a ring starts.
  var parkedState: DeviceState?
  /// The device status that the front-end set last.
  var status: UInt8 = 0
  var areFeaturesRefused = false
  var vrings: [Vring]
  var mappings: [MappedRegion] = []
  /// Under which number the file of a region is kept.
  var memorySlots: [SharedMemory.Identity: Int] = [:]
  /// Regions that were removed lately: QEMU 7.2 removes each once for every queue pair.
  var removed: [MemoryRegionDescription] = []
  /// For a process that takes over from us; nil: there will be none.
  let keeper: SessionKeeper?
  /// What is carried out was carried out before, by the process before us.
  var isResuming = false

  /// `vringCount` vrings can be served. `queueLimit` is the answer to `GET_QUEUE_NUM`: front-ends disagree whether it
  /// counts queues or pairs, so twice as many queues as it says had better be there.
  /// `isResuming`: the connection is one that the process before us had; call `resume`.
  /// `poller` reports the pipe of a device state under `stateToken`: then call `stateTransferReady`.
  public init(
    connection: OwnedDescriptor, device: any BackEndDevice, memory: GuestMemory, vringCount: Int, queueLimit: Int,
    poller: Poller, stateToken: UInt64, offersDeviceState: Bool,
    counters: FrontEndCounters = FrontEndCounters(), keeper: SessionKeeper? = nil, isResuming: Bool = false, log: Log
  ) {
    socket = MessageSocket(connection)
    self.keeper = keeper
    self.device = device
    self.memory = memory
    self.queueLimit = queueLimit
    self.poller = poller
    self.stateToken = stateToken
    offeredProtocolFeatures = offersDeviceState ? .offered : .offered.subtracting(.deviceState)
    self.counters = counters
    self.log = log
    counters.connections &+= 1
    vrings = Array(repeating: Vring(), count: vringCount)
    keeper?.isResuming = isResuming
    keeper?.keep(connection, as: SessionName.connection)
    keeper?.isResuming = false
    if !isResuming { settle() }
  }

  /// Neither a part of a message nor a part of a reply is on its way.
  var isQuiet: Bool { socket.isQuiet }

  /// Whether to wait until the connection is writable before more messages are taken.
  public var isCongested: Bool { socket.isCongested }

  /// Handles the messages that have arrived, so many at the most that the datapath does not notice.
  public func messagesArrived() -> Outcome {
    // From here on nobody else could go on with the connection, until all of what is taken now is done.
    keeper?.begin()
    let outcome = takeMessages()
    if outcome == .goOn { settle() }
    return outcome
  }

  private func takeMessages() -> Outcome {
    guard socket.flush() else { return .closed }
    for _ in 0..<Self.messagesPerTurn {
      switch socket.next() {
      case .incomplete: return .goOn
      case .closed: return .closed
      case .broken(let why):
        counters.brokenConnections &+= 1
        return .broken(why)
      case .message(var message):
        guard handle(&message) else { return .closed }
      }
    }
    return .goOn
  }

  /// The connection is over: every vring is let go of and all guest memory unmapped.
  ///
  /// - Parameter guestStays: it is not gone, and neither is what the device holds for it.
  public func close(guestStays: Bool = false) {
    // Before anything is undone: a successor may not go on with half of it.
    keeper?.end()
    for index in vrings.indices where vrings[index].isRunning {
      device.abandon(vring: index)
      vrings[index].isRunning = false
    }
    for index in vrings.indices {
      device.setEnabled(vring: index, false)
      device.setCall(vring: index, nil)
      device.setError(vring: index, nil)
    }
    device.memoryWillChange()
    memory.removeAll()
    mappings = []
    memory.log.setWanted(false)
    memory.log.setBitmap(nil)
    dirtyLog = nil
    logPlace = nil
    memorySlots = [:]
    device.setLogCall(nil)
    requestChannel = nil
    dropStateTransfer()
    parkedState = nil
    if !guestStays { device.negotiated([]) }
  }

  /// Carries out one request and answers it. False if the connection is gone.
  private func handle(_ message: inout Message) -> Bool {
    let header = message.header
    counters.requests &+= 1
    log.debug("request \(Self.name(header.request)), \(message.payload.count) bytes")
    var answer: [UInt8]?
    var succeeded = true
    do throws(RequestError) {
      answer = try carryOut(&message)
    } catch {
      succeeded = false
      tell(header, error)
    }
    if let answer { return socket.reply(to: header.request, answer) }
    if header.needsReply, protocolFeatures.contains(.replyAck) {
      return socket.reply(to: header.request, UInt64(succeeded ? 0 : 1).littleEndianBytes)
    }
    // A front-end that waits for a reply gets an empty one, as GET_CONFIG has it for errors, so as not to wait for ever.
    guard !succeeded, FrontEndRequest(rawValue: header.request)?.hasReply == true else { return true }
    return socket.reply(to: header.request, [])
  }

  /// The first few refusals of a connection are told; a front-end can make more of them than a disk can hold.
  func tell(_ header: MessageHeader, _ error: RequestError) {
    refusals &+= 1
    counters.refusedRequests &+= 1
    let text = "the front-end's request \(Self.name(header.request)) was not carried out: \(error)"
    guard refusals <= Self.refusalsTold else { return log.debug(text) }
    log.warning(refusals == Self.refusalsTold ? text + " (no more of these are told)" : text)
  }

  static func name(_ request: UInt32) -> String {
    FrontEndRequest(rawValue: request).map { "\($0)" } ?? "\(request)"
  }
}
