// SPDX-License-Identifier: Apache-2.0

/// A `PolicyRule` as it is compared: all but the ends in two words.
struct CompiledRule: BitwiseCopyable, Sendable {
  private let tags: UInt64
  private let tagsMask: UInt64
  private let kind: UInt64
  private let kindMask: UInt64
  private let guest: CompiledEndpoint
  private let network: CompiledEndpoint
  private let source: CompiledEndpoint
  private let destination: CompiledEndpoint
  let result: Classification

  init(_ match: FlowMatch, result: Classification) throws(MatchError) {
    let ipVersion = try match.checked()
    (tags, tagsMask) = ConnectionWords.tags(match)
    (kind, kindMask) = ConnectionWords.kind(match, ipVersion: ipVersion)
    guest = CompiledEndpoint(match.guest)
    network = CompiledEndpoint(match.network)
    source = CompiledEndpoint(match.source)
    destination = CompiledEndpoint(match.destination)
    self.result = result
  }

  @inline(__always)
  func matches(_ words: ConnectionWords) -> Bool {
    guard (words.tags ^ tags) & tagsMask | (words.kind ^ kind) & kindMask == 0 else { return false }
    return source.matches(words.source) && destination.matches(words.destination) && guest.matches(words.guest)
      && network.matches(words.network)
  }
}
