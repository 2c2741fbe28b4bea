// SPDX-License-Identifier: Apache-2.0

public import Memory

/// The guest's memory: which of its addresses are mapped, and where.
///
/// It maps nothing itself; whoever adds a region keeps it mapped until it is removed. A copy of this value refers to
/// the same table, so that every queue sees a change at once.
///
/// Translation never trusts a length: a range is taken region by region, so that a buffer may span two regions that
/// adjoin for the guest, and is refused as soon as a byte of it is not mapped.
public struct GuestMemory: @unchecked Sendable {
  /// vhost-user `GET_MAX_MEM_SLOTS`: as many as rust-vmm and QEMU know.
  public static let maximumRegions = 509

  /// Where our writes are marked while the guest migrates.
  public let log = DirtyLog()
  private let regions: RecordBuffer<GuestRegion>
  /// [0] number of regions, [1] the region that answered last.
  private let state: RecordBuffer<Int>

  public init() {
    regions = RecordBuffer(capacity: Self.maximumRegions, repeating: .none)
    state = RecordBuffer(capacity: 2, repeating: 0)
  }

  public func deallocate() {
    regions.deallocate()
    state.deallocate()
    log.deallocate()
  }

  public var regionCount: Int { state[0] }

  public func region(at index: Int) -> GuestRegion { regions[index] }

  /// Whether the region overlaps none that is there and a slot is free.
  public func canAdd(_ region: GuestRegion) -> Bool {
    guard regionCount < Self.maximumRegions else { return false }
    return !(0..<regionCount).contains { regions[$0].overlaps(region) }
  }

  public func add(_ region: GuestRegion) {
    regions[regionCount] = region
    state[0] += 1
  }

  public func remove(at index: Int) {
    regions.move(from: index + 1, to: index, count: regionCount - index - 1)
    state[0] -= 1
    state[1] = 0
  }

  public func removeAll() {
    state[0] = 0
    state[1] = 0
  }

  /// The region that answered last; one without bytes if there is none.
  @inline(__always)
  var recent: GuestRegion {
    let last = state.base[1]
    return last < state.base[0] ? regions[last] : .none
  }

  /// The mapped bytes from a guest address on, at most `length` and at most to the end of its region; nil if the
  /// first byte is not mapped.
  @inline(__always)
  func locate(_ guestAddress: UInt64, _ length: UInt64) -> ByteRegion? {
    recent.range(at: guestAddress, upTo: length) ?? locateSlowly(guestAddress, length)
  }

  @inline(never)
  private func locateSlowly(_ guestAddress: UInt64, _ length: UInt64) -> ByteRegion? {
    for index in 0..<regionCount {
      guard let range = regions[index].range(at: guestAddress, upTo: length) else { continue }
      state[1] = index
      return range
    }
    return nil
  }

  /// The guest's address of mapped bytes. Each region is mapped by itself, so there is one; nil: they are no memory of
  /// the guest.
  func guestAddress(of range: ByteRegion) -> UInt64? {
    let host = UInt(bitPattern: range.base)
    for index in 0..<regionCount {
      let region = regions[index]
      let offset = host &- region.host
      if UInt64(offset) < region.size { return region.guestAddress + UInt64(offset) }
    }
    return nil
  }

  /// Marks what was written by way of `locate`.
  func markWritten(_ range: ByteRegion) {
    guard let address = guestAddress(of: range) else { return }
    log.mark(address, length: range.count)
  }

  /// `length` bytes at an address of the front-end, wholly inside one region: a ring's area.
  public func area(userAddress: UInt64, length: Int) -> ByteRegion? {
    guard length > 0 else { return nil }
    for index in 0..<regionCount {
      let region = regions[index]
      let offset = userAddress &- region.userAddress
      guard offset < region.size, UInt64(length) <= region.size - offset else { continue }
      return region.range(at: region.guestAddress + offset, count: UInt64(length))
    }
    return nil
  }
}
