// SPDX-License-Identifier: Apache-2.0

/// One of the two ends of a connection, as they lie about the module.
public enum ConnectionEnd: UInt8, BitwiseCopyable, CaseIterable, Sendable {
  case guest = 0
  case network = 1
}
