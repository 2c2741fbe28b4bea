// SPDX-License-Identifier: Apache-2.0

import Memory

/// What two policies in a row say of connections: each has a half, and in it a place for every number that `Flow.configuration` can have. So
/// the packet path finds what counts for a connection without asking which policy it goes by.
struct FlowPolicyRoom {
  private static let half = 256
  private let policies: RecordBuffer<FlowPolicy>

  /// - Parameter any: what is there before anything is said.
  init(repeating any: FlowPolicy) { policies = RecordBuffer(capacity: 2 * Self.half, repeating: any) }

  func deallocate() { policies.deallocate() }

  /// - Parameters:
  ///   - turn: 0 or 1.
  ///   - all: by their numbers, not empty; other numbers are as the first.
  func fill(_ turn: UInt8, with all: [FlowPolicy]) {
    for number in 0..<Self.half {
      policies[Int(turn & 1) * Self.half + number] = all[number < all.count ? number : 0]
    }
  }

  subscript(turn: UInt8, number: UInt8) -> FlowPolicy {
    // Not copied where a field is all that is wanted.
    @inline(__always) get { policies[Int(turn & 1) &* Self.half &+ Int(number)] }
  }
}
