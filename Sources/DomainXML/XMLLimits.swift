// SPDX-License-Identifier: Apache-2.0

/// What a domain's XML may be at most. libvirt's own are some kilobytes, ten elements deep; others' metadata are in it too.
public enum XMLLimits {
  /// Octets in all.
  public static let octets = 1 << 20
  /// Elements inside each other.
  static let depth = 256
  /// Elements in all.
  static let elements = 50_000
  /// Attributes of an element.
  static let attributes = 256
  /// Octets of an element's own text that are kept. What is read of it (a name, a UUID) is shorter.
  static let text = 1024
}
