// SPDX-License-Identifier: Apache-2.0

import Wire

/// How much of a frame is copied.
public enum SnapLength: Equatable, Sendable {
  /// Its headers, and no payload: of TCP and UDP up to the payload; of others `ofOthers` bytes.
  case headers
  /// The first so many bytes.
  case bytes(Int)

  static let ofOthers = 128
  /// The largest frame that there is: of large sends all that goes on in one piece.
  public static let most = 262_144

  /// Of a frame of `length` bytes.
  func of(_ length: Int, _ layout: FrameLayout?) -> Int {
    switch self {
    case .headers:
      guard let layout, layout.hasTransportHeader else { return min(length, Self.ofOthers) }
      return min(length, layout.payloadOffset)
    case .bytes(let count): return min(length, count)
    }
  }

  /// The most that there can be of a frame.
  var limit: Int {
    switch self {
    case .headers: FrameLayout.recommendedHeaderBytes
    case .bytes(let count): count
    }
  }
}
