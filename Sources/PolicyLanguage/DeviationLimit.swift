// SPDX-License-Identifier: Apache-2.0

/// Where values may be that go beyond what RFCs recommend.
enum DeviationLimit: Sendable {
  case everywhere
  case nowhere
  /// Where both ends have addresses of the set.
  case inside(String, [AddressBlock])
}
