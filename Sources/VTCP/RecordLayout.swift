// SPDX-License-Identifier: Apache-2.0

import Memory

/// What the records in the arena look like, as a number: who goes on with a memory must have made the same of it. Fields are added and moved
/// with nearly every version, and often the size stays; a version that somebody has to remember to count up would be forgotten once.
enum RecordLayout {
  /// Names, types and order of all fields of all records that outlive the process, theirs included.
  static let fingerprint: UInt32 = {
    var hash: UInt32 = 2_166_136_261
    add(Flow.self, to: &hash)
    add(FlowSide.self, to: &hash)
    add(SideSending.self, to: &hash)
    add(ModuleCounters.self, to: &hash)
    // A state that it does not know nobody can read.
    add("\(SideState.allCases)", to: &hash)
    return hash
  }()

  static func add<Record: BitwiseCopyable>(_: Record.Type, to hash: inout UInt32) {
    // A value to look at: all of it is numbers, and zero is one.
    let zeros = ByteRegion.allocate(count: MemoryLayout<Record>.stride, alignment: MemoryLayout<Record>.alignment)
    defer { zeros.deallocate() }
    describe(zeros.load(Record.self, at: 0), to: &hash)
  }

  private static func describe(_ value: Any, to hash: inout UInt32) {
    add("\(type(of: value)){", to: &hash)
    let mirror = Mirror(reflecting: value)
    // Of others, which fields there are follows from the type or depends on the value.
    if mirror.displayStyle == .struct {
      for child in mirror.children {
        add("\(child.label ?? ""):", to: &hash)
        describe(child.value, to: &hash)
      }
    }
    add("}", to: &hash)
  }

  private static func add(_ text: String, to hash: inout UInt32) {
    // FNV-1a.
    for byte in text.utf8 { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
  }
}
