// SPDX-License-Identifier: Apache-2.0

/// How much of a text is read, whoever wrote it.
public enum YAMLLimits {
  /// Octets of a text.
  public static let octets = 1 << 20
  /// Lists and mappings in one another.
  public static let depth = 32
  /// Values, lists and mappings together.
  public static let nodes = 100_000
  /// Octets of a key. Nobody writes longer ones, and sentences quote them.
  public static let keyOctets = 256
  /// Mistakes that are told.
  public static let mistakes = 100
}
