// SPDX-License-Identifier: Apache-2.0

/// The two low bits of the IPv4 type of service or the IPv6 traffic class (RFC 3168 §5).
public enum ECNCodepoint: UInt8, BitwiseCopyable, Sendable {
  case notCapable = 0
  case capable1 = 1
  case capable0 = 2
  case congestionExperienced = 3

  static let mask: UInt8 = 3

  /// That of a type of service or traffic class.
  @inlinable
  public init(trafficClass: UInt8) {
    switch trafficClass & 3 {
    case 0: self = .notCapable
    case 1: self = .capable1
    case 2: self = .capable0
    default: self = .congestionExperienced
    }
  }
}
