// SPDX-License-Identifier: Apache-2.0
import CTestSupport
import Glibc

/// The guest's memory: one memfd in two regions with the hole of every x86 guest, as QEMU shares it.
///
/// User addresses differ from guest addresses by another amount in each region, so that a back-end which mixes up the
/// two, or the regions, reads nonsense.
public final class GuestRAM {
  public struct Region: Sendable, Equatable {
    public var guestAddress: UInt64
    public var size: UInt64
    public var userAddress: UInt64
    public var offset: UInt64

    public init(guestAddress: UInt64, size: UInt64, userAddress: UInt64, offset: UInt64) {
      self.guestAddress = guestAddress
      self.size = size
      self.userAddress = userAddress
      self.offset = offset
    }
  }

  /// The hole [0xa0000, 0xc0000) belongs to no region.
  public static let holeStart: UInt64 = 0xa0000
  public static let holeEnd: UInt64 = 0xc0000

  public let size: Int
  public let descriptor: Descriptor
  public let regions: [Region]
  let base: UnsafeMutableRawPointer
  private var next: UInt64
  /// What memory would be if nobody but the driver had written since `watch`.
  private var driversView: UnsafeMutableRawPointer?

  /// `border`: an address above the hole at which one region ends and another, adjoining for the guest but not for the
  /// front-end, begins.
  public init(size: Int = 16 << 20, border: UInt64? = nil) throws {
    self.size = size
    descriptor = try Descriptor.memory("guest-ram", size: size)
    let map = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor.number, 0)
    guard let map, map != MAP_FAILED else { throw TestFailure("mmap: errno \(errno)") }
    base = map
    let end = border ?? UInt64(size)
    var regions = [
      Region(guestAddress: 0, size: GuestRAM.holeStart, userAddress: 0x7f11_0000_0000, offset: 0),
      Region(
        guestAddress: GuestRAM.holeEnd, size: end - GuestRAM.holeEnd, userAddress: 0x7f55_2000_0000,
        offset: GuestRAM.holeEnd),
    ]
    if end < UInt64(size) {
      regions.append(
        Region(guestAddress: end, size: UInt64(size) - end, userAddress: 0x7f33_0000_0000, offset: end))
    }
    self.regions = regions
    next = 0x10_0000
  }

  deinit {
    munmap(base, size)
    driversView?.deallocate()
  }

  /// `count` zeroed bytes above 1 MiB that nobody else uses.
  public func allocate(_ count: Int, alignment: UInt64 = 64) throws -> UInt64 {
    let address = (next + alignment - 1) / alignment * alignment
    guard address + UInt64(count) <= UInt64(size) else { throw TestFailure("guest memory is used up") }
    next = address + UInt64(count)
    memset(base + Int(address), 0, count)
    if let driversView { memset(driversView + Int(address), 0, count) }
    return address
  }

  /// Where the next allocation will be; set it back to give memory back.
  public var mark: UInt64 {
    get { next }
    set { next = newValue }
  }

  /// From now on, what the driver writes is told from what the device writes.
  public func watch() {
    let view = driversView ?? .allocate(byteCount: size, alignment: DirtyBitmap.pageSize)
    view.copyMemory(from: base, byteCount: size)
    driversView = view
  }

  /// Numbers of the pages in which the device has changed something since `watch` that the driver has not overwritten.
  public var pagesChangedByDevice: Set<Int> {
    guard let driversView else { return [] }
    let page = DirtyBitmap.pageSize
    return Set((0..<size / page).filter { memcmp(base + page * $0, driversView + page * $0, page) != 0 })
  }

  /// The front-end's user address of a guest address.
  public func userAddress(of address: UInt64) -> UInt64 {
    for region in regions where address >= region.guestAddress && address - region.guestAddress < region.size {
      return address - region.guestAddress + region.userAddress
    }
    return address
  }

  public func write(_ octets: [UInt8], at address: UInt64) {
    precondition(Int(address) + octets.count <= size)
    octets.withUnsafeBytes { source in
      guard let from = source.baseAddress else { return }
      (base + Int(address)).copyMemory(from: from, byteCount: source.count)
      driversView.map { ($0 + Int(address)).copyMemory(from: from, byteCount: source.count) }
    }
  }

  public func read(at address: UInt64, count: Int) -> [UInt8] {
    precondition(Int(address) + count <= size)
    return [UInt8](UnsafeRawBufferPointer(start: base + Int(address), count: count))
  }

  public func store<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, at address: UInt64) {
    precondition(Int(address) + MemoryLayout<T>.size <= size)
    driversView.map { ($0 + Int(address)).storeBytes(of: value, as: T.self) }
    (base + Int(address)).storeBytes(of: value, as: T.self)
  }

  public func load<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type, at address: UInt64) -> T {
    precondition(Int(address) + MemoryLayout<T>.size <= size)
    return (base + Int(address)).loadUnaligned(as: T.self)
  }

  /// A 16-bit store that the device sees after all stores before it.
  public func storeRelease(_ value: UInt16, at address: UInt64) {
    precondition(Int(address) + 2 <= size)
    driversView.map { ($0 + Int(address)).storeBytes(of: value, as: UInt16.self) }
    test_store_release_16(base + Int(address), value)
  }

  /// A 16-bit load that happens before all loads after it.
  public func loadAcquire(at address: UInt64) -> UInt16 {
    precondition(Int(address) + 2 <= size)
    return test_load_acquire_16(base + Int(address))
  }
}
