// SPDX-License-Identifier: Apache-2.0

public import Memory

/// Which pages of guest memory we have written, for a front-end that migrates the guest (vhost-user, "Migration").
///
/// A bitmap that the front-end shares: one bit for each 4096 bytes of guest address, lowest address and bit first. A bit
/// is set *after* the write that it tells of, by an atomic operation that is a fence as well: a front-end that takes
/// the bit before the write is seen would copy the page as it was, and never again.
///
/// A copy of this value refers to the same log. What lies outside of the bitmap is not marked, and counted: the
/// front-end, not the guest, chooses how long the bitmap is (CVE-2019-14835, CVE-2020-10722).
public struct DirtyLog: Sendable {
  /// `VHOST_LOG_PAGE`: bytes for each bit.
  public static let pageSize: UInt64 = 4096

  private struct State: BitwiseCopyable {
    var bitmap = IOVector.none
    var isWanted = false
    /// Wanted, and there is a bitmap: the one thing that the path of a frame asks.
    var isOn = false
    var hasMarked = false
    var lostCount: UInt64 = 0
  }

  private let state: RecordBuffer<State>

  init() { state = RecordBuffer(capacity: 1, repeating: State()) }

  func deallocate() { state.deallocate() }

  /// Whether what we write to buffers is to be marked: `VHOST_F_LOG_ALL` is set, and there is a bitmap.
  @inline(__always)
  public var isOn: Bool { state[0].isOn }

  /// Whether `VHOST_F_LOG_ALL` is set.
  public var isWanted: Bool { state[0].isWanted }

  /// Whether there is a bitmap. The used ring of a vring is marked if so, when that vring's addresses ask for it.
  public var hasBitmap: Bool { state[0].bitmap.region != nil }

  /// Marks on the length that the bitmap had not, so far.
  public var lostCount: UInt64 { state[0].lostCount }

  /// `VHOST_F_LOG_ALL`.
  public func setWanted(_ isWanted: Bool) {
    state[0].isWanted = isWanted
    update()
  }

  /// Marks go to `bitmap` from now on; the caller keeps it mapped until it gives another. nil: there is none.
  public func setBitmap(_ bitmap: ByteRegion?) {
    state[0].bitmap = bitmap.map { IOVector($0) } ?? .none
    update()
  }

  private func update() { state[0].isOn = state[0].isWanted && hasBitmap }

  /// Whether something was marked since this was last asked.
  public func takeMarks() -> Bool {
    defer { state[0].hasMarked = false }
    return state[0].hasMarked
  }

  /// Marks the pages of `length` bytes from the guest's address `base` + `offset` on; they have been written.
  @inline(never)
  func mark(_ base: UInt64, offset: Int = 0, length: Int) {
    guard length > 0, let region = state[0].bitmap.region else { return }
    let (first, firstWraps) = base.addingReportingOverflow(UInt64(offset))
    let (last, lastWraps) = first.addingReportingOverflow(UInt64(length) - 1)
    state[0].hasMarked = true
    guard !firstWraps, !lastWraps, last / Self.pageSize / 8 < UInt64(region.count) else {
      state[0].lostCount &+= 1
      guard !firstWraps, region.count > 0 else { return }
      return markPages(first / Self.pageSize, min(last / Self.pageSize, UInt64(region.count) * 8 - 1), region)
    }
    markPages(first / Self.pageSize, last / Self.pageSize, region)
  }

  /// The caller has compared `last` with the bitmap's length.
  private func markPages(_ first: UInt64, _ last: UInt64, _ region: ByteRegion) {
    guard first <= last else { return }
    let bitmap = SharedRegion(region)
    var page = first
    while page <= last {
      let byte = page / 8
      let lastInByte = min(last, byte * 8 + 7)
      let mask = (0xff as UInt8) << UInt8(page % 8) & 0xff >> UInt8(7 - lastInByte % 8)
      bitmap.fetchOr8(mask, at: Int(byte))
      page = lastInByte + 1
    }
  }
}
