// SPDX-License-Identifier: Apache-2.0

import Memory
import Testing

@testable import Virtio

@Suite("Dirty log: ranges to bits")
struct DirtyLogTests {
  /// Bits set for `length` bytes at `address`, in a bitmap of `bytes`.
  private func pages(_ bytes: Int, _ address: UInt64, _ offset: Int, _ length: Int) -> (set: Set<UInt64>, lost: UInt64)
  {
    let file = ByteRegion.allocate(count: bytes + 2)
    let log = DirtyLog()
    defer {
      file.deallocate()
      log.deallocate()
    }
    log.setBitmap(file.slice(from: 1, count: bytes))
    log.mark(address, offset: offset, length: length)
    #expect(file.bytes[0] == 0 && file.bytes[bytes + 1] == 0)
    var found: Set<UInt64> = []
    for page in 0..<8 * bytes where file.bytes[1 + page / 8] >> UInt8(page % 8) & 1 == 1 { found.insert(UInt64(page)) }
    return (found, log.lostCount)
  }

  @Test func everyRangeMarksThePagesThatItTouchesAndNoOther() {
    let edges: [UInt64] = [0, 1, 4095, 4096, 7 * 4096, 8 * 4096 - 1, 8 * 4096, 9 * 4096 + 5]
    for start in edges {
      for length in [0, 1, 2, 4095, 4096, 4097, 8 * 4096, 20 * 4096] {
        let (set, lost) = pages(8, start, 0, length)
        let expected = length == 0 ? [] : Set(start / 4096...(start + UInt64(length) - 1) / 4096)
        #expect(set == expected, "\(start) \(length)")
        #expect(lost == 0)
        #expect(pages(8, 0, Int(start), length).set == expected)
      }
    }
  }

  @Test("CVE-2019-14835: what lies beyond the bitmap is counted, and what lies before its end is marked")
  func beyond() {
    #expect(pages(2, 15 * 4096, 0, 4096) == ([15], 0))
    #expect(pages(2, 15 * 4096, 0, 4097) == ([15], 1))
    #expect(pages(2, 16 * 4096, 0, 1) == ([], 1))
    #expect(pages(2, .max, 0, 1) == ([], 1))
    #expect(pages(2, .max - 8, 20, 1) == ([], 1))
    #expect(pages(2, .max - 8, 0, 4096) == ([], 1))
    #expect(pages(2, 14 * 4096, 0, Int.max) == ([14, 15], 1))
    #expect(pages(2, .max, 0, 0) == ([], 0))
  }

  @Test func itIsOnOnlyIfItIsWantedAndThereIsABitmap() {
    let bitmap = ByteRegion.allocate(count: 8)
    let log = DirtyLog()
    defer {
      bitmap.deallocate()
      log.deallocate()
    }
    #expect(!log.isOn)
    log.setWanted(true)
    #expect(!log.isOn)
    log.mark(0, length: 1)
    log.setBitmap(bitmap)
    #expect(log.isOn)
    #expect(!log.takeMarks())
    log.mark(0, length: 1)
    #expect(log.takeMarks())
    #expect(!log.takeMarks())
    log.setBitmap(nil)
    #expect(!log.isOn)
  }
}
