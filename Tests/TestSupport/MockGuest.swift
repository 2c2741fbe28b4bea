// SPDX-License-Identifier: Apache-2.0

/// A guest with a virtio network driver: queue pairs in its memory, frames out and in.
public final class MockGuest {
  /// A frame as the guest got it.
  public struct Received: Sendable {
    public var header: NetworkHeader
    public var frame: [UInt8]
    /// used.len of each buffer it came in.
    public var lengths: [UInt32]
  }

  public let frontEnd: FrontEnd
  public let features: UInt64
  public let receiveQueues: [DriverQueue]
  public let transmitQueues: [DriverQueue]
  public var ram: GuestRAM { frontEnd.ram }

  private var freeBlocks: [Int: [UInt64]] = [:]
  private var blocks: [[Int: (address: UInt64, size: Int)]]
  private var arrived: [[DriverQueue.Completion]]

  /// `options` hold for all queues; `pairs` queue pairs.
  public init(frontEnd: FrontEnd, features: UInt64, options: DriverQueue.Options, pairs: Int = 1) throws {
    self.frontEnd = frontEnd
    self.features = features
    receiveQueues = try (0..<pairs).map { _ in try DriverQueue(ram: frontEnd.ram, options: options) }
    transmitQueues = try (0..<pairs).map { _ in try DriverQueue(ram: frontEnd.ram, options: options) }
    blocks = Array(repeating: [:], count: 2 * pairs)
    arrived = Array(repeating: [], count: pairs)
  }

  public var isMergeable: Bool { features & Feature.mergeableBuffers != 0 }

  /// The header in front of each frame: 10 octets for a legacy driver without mergeable buffers, else 12.
  public var headerLength: Int { isMergeable || features & Feature.version1 != 0 ? 12 : 10 }

  public var pairs: Int { receiveQueues.count }

  /// Vring `index` of the device: receiveq1, transmitq1, receiveq2, ...
  public func queue(_ index: Int) -> DriverQueue {
    index % 2 == 0 ? receiveQueues[index / 2] : transmitQueues[index / 2]
  }

  /// All messages from SET_FEATURES on, and all rings running. As QEMU does, rings are enabled before they are started.
  public func start(bases: [UInt32]? = nil) throws {
    let indices = 0..<UInt32(2 * pairs)
    if features & Feature.protocolFeatures != 0 {
      for index in indices { try frontEnd.setVringEnable(index, true) }
    }
    try frontEnd.prepare(features: features)
    for index in 0..<2 * pairs {
      try frontEnd.startVring(UInt32(index), queue(index), base: bases?[index])
    }
    try frontEnd.enable(indices)
  }

  // MARK: Transmit

  /// Makes a frame available; `split` are the lengths of the first descriptors, the rest follows in a last one.
  @discardableResult
  public func enqueue(
    _ frame: [UInt8], header: NetworkHeader = NetworkHeader(), split: [Int] = [], pair: Int = 0
  ) throws -> Int {
    let octets = header.octets(headerLength) + frame
    let address = try takeBlock(octets.count)
    ram.write(octets, at: address)
    var elements: [DriverQueue.Element] = []
    var offset = 0
    for length in split + [octets.count] where offset < octets.count {
      let part = min(length, octets.count - offset)
      elements.append(.init(address: address + UInt64(offset), length: UInt32(part), isWritable: false))
      offset += part
    }
    let token = try transmitQueues[pair].add(elements)
    blocks[2 * pair + 1][token] = (address, octets.count)
    return token
  }

  /// Makes a frame available and kicks if the device wants it.
  public func transmit(
    _ frame: [UInt8], header: NetworkHeader = NetworkHeader(), split: [Int] = [], pair: Int = 0
  ) throws {
    try enqueue(frame, header: header, split: split, pair: pair)
    transmitQueues[pair].kickIfNeeded()
  }

  /// Waits until `count` transmitted buffers came back, which must be with length 0 (virtio 1.3, 2.7.8.2).
  public func reclaim(_ count: Int, pair: Int = 0, timeout: Double = 5) throws {
    for completion in try transmitQueues[pair].collectUsed(count, timeout: timeout) {
      release(completion, queue: 2 * pair + 1)
      if let length = completion.length, length != 0 {
        throw TestFailure("used.len of a transmitted buffer: \(length)")
      }
    }
  }

  /// Takes back whatever was transmitted so far, without waiting.
  public func reclaimSome(pair: Int = 0) throws {
    for completion in try transmitQueues[pair].collectUsed() { release(completion, queue: 2 * pair + 1) }
  }

  // MARK: Receive

  /// Makes `count` receive buffers available, each of descriptors with these lengths, and kicks.
  public func post(_ count: Int, lengths: [Int], pair: Int = 0) throws {
    let total = lengths.reduce(0, +)
    for _ in 0..<count {
      let address = try takeBlock(total)
      var offset: UInt64 = 0
      let elements = lengths.map { length in
        defer { offset += UInt64(length) }
        return DriverQueue.Element(address: address + offset, length: UInt32(length), isWritable: true)
      }
      let token = try receiveQueues[pair].add(elements)
      blocks[2 * pair][token] = (address, total)
    }
    receiveQueues[pair].kickIfNeeded()
  }

  /// The next frame for the guest, from as many buffers as num_buffers says. Throws when a length is wrong.
  public func receive(pair: Int = 0, timeout: Double = 5) throws -> Received {
    guard let frame = try poll(pair: pair, timeout: timeout) else { throw TestFailure("no frame for the guest") }
    return frame
  }

  /// The next frame for the guest, or nil if none comes.
  public func poll(pair: Int = 0, timeout: Double = 0) throws -> Received? {
    try fetch(1, pair: pair, timeout: timeout)
    guard let first = arrived[pair].first else { return nil }
    let head = try octets(of: first, queue: 2 * pair)
    guard head.count >= headerLength else { throw TestFailure("a receive buffer used with length \(head.count)") }
    let header = NetworkHeader(decoding: Array(head[0..<headerLength]))
    var count = 1
    if isMergeable || features & Feature.version1 != 0 {
      count = Int(header.bufferCount)
      guard count == 1 || (isMergeable && count > 1) else { throw TestFailure("num_buffers \(count)") }
    }
    try fetch(count, pair: pair, timeout: 5)
    guard arrived[pair].count >= count else { throw TestFailure("\(count) buffers announced, fewer used") }
    let taken = Array(arrived[pair].prefix(count))
    arrived[pair].removeFirst(count)
    let parts = try taken.map { try octets(of: $0, queue: 2 * pair) }
    for completion in taken { release(completion, queue: 2 * pair) }
    return Received(
      header: header, frame: Array(parts.joined().dropFirst(headerLength)), lengths: parts.map { UInt32($0.count) })
  }

  private func fetch(_ count: Int, pair: Int, timeout: Double) throws {
    let missing = count - arrived[pair].count
    guard missing > 0 else { return }
    let queue = receiveQueues[pair]
    arrived[pair] += try queue.collectUsed()
    guard arrived[pair].count < count, timeout > 0 else { return }
    let deadline = Deadline(after: timeout)
    while arrived[pair].count < count {
      queue.setInterrupts(.always)
      let some = try queue.collectUsed()
      arrived[pair] += some
      guard arrived[pair].count < count else { return }
      guard some.isEmpty else { continue }
      guard queue.call.descriptor.wait(for: 1, until: deadline) else { break }
      queue.call.take()
    }
    let late = try queue.collectUsed()
    guard late.isEmpty else { throw TestFailure("\(late.count) receive buffers were used without an interrupt") }
  }

  private func octets(of completion: DriverQueue.Completion, queue: Int) throws -> [UInt8] {
    guard let block = blocks[queue][completion.token] else { throw TestFailure("no block") }
    let length = Int(completion.length ?? UInt32(block.size))
    guard length <= block.size else { throw TestFailure("used.len \(length) of a buffer of \(block.size)") }
    return ram.read(at: block.address, count: length)
  }

  // MARK: Memory

  private func takeBlock(_ size: Int) throws -> UInt64 {
    if let address = freeBlocks[sizeClass(size)]?.popLast() { return address }
    return try ram.allocate(sizeClass(size))
  }

  private func release(_ completion: DriverQueue.Completion, queue: Int) {
    guard let block = blocks[queue].removeValue(forKey: completion.token) else { return }
    freeBlocks[sizeClass(block.size), default: []].append(block.address)
  }

  private func sizeClass(_ size: Int) -> Int {
    [2048, 16384, 73728].first { size <= $0 } ?? (size + 65535) / 65536 * 65536
  }

  /// What a driver does after a device or queue reset: both rings of `pair` are new, nothing is outstanding.
  public func forget(pair: Int) {
    receiveQueues[pair].reset()
    transmitQueues[pair].reset()
    arrived[pair] = []
    for queue in [2 * pair, 2 * pair + 1] {
      for block in blocks[queue].values { freeBlocks[sizeClass(block.size), default: []].append(block.address) }
      blocks[queue] = [:]
    }
  }
}
