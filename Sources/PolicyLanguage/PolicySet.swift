// SPDX-License-Identifier: Apache-2.0

/// A set that matches name.
struct PolicySet: Sendable {
  enum Members {
    case addresses([AddressBlock])
    case numbers([ClosedRange<Int>])
    case names([String])

    var kind: String {
      switch self {
      case .addresses: "addresses"
      case .numbers: "numbers"
      case .names: "names"
      }
    }
  }

  let name: String
  let place: PolicyPlace
  let members: Members
}
