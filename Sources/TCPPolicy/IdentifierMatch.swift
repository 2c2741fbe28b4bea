// SPDX-License-Identifier: Apache-2.0

/// What a rule wants of the number of a network that a packet may be marked with: a VLAN tag's, or a VXLAN network's.
public enum IdentifierMatch: BitwiseCopyable, Hashable, Sendable {
  case any
  /// No such mark.
  case absent
  case equal(UInt32)
}
