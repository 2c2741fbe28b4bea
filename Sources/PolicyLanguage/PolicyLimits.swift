// SPDX-License-Identifier: Apache-2.0

/// What no class can go beyond, whoever wrote it.
struct PolicyLimits: Sendable {
  /// Octets of a connection's buffer, in each direction.
  var buffer: (octets: Int, place: PolicyPlace)?
  /// Bits per second, in each direction.
  var rate: (bits: Int, place: PolicyPlace)?
  /// Connections that are followed at once.
  var flows: Int?
  var deviations = DeviationLimit.everywhere
  var deviationsPlace: PolicyPlace?
  /// Knobs that the metadata of a VM may set.
  var tenantKeys: [Knob] = []
}
