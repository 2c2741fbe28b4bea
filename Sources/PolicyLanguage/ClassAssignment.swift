// SPDX-License-Identifier: Apache-2.0

/// Which VMs have which class if nobody else says so.
struct ClassAssignment: Sendable {
  let place: PolicyPlace
  let conditions: [MatchCondition]
  let className: String
  let classPlace: PolicyPlace
}
