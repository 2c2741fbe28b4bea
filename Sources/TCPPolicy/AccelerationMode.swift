// SPDX-License-Identifier: Apache-2.0

/// What the module may do for a connection. `early` includes what `snoop` does. The numbers are in statistics that others read: new ones go to
/// the end.
public enum AccelerationMode: UInt8, BitwiseCopyable, CaseIterable, Sendable {
  /// Nothing: frames pass byte for byte.
  case off = 0
  /// The window that the sender is shown is no more than our congestion control allows (AC/DC: He et al., SIGCOMM 2016). Nothing is kept, and
  /// nothing is sent: losses are the sender's to repair.
  case limit = 3
  /// Losses towards the receiver are recovered from copies; acknowledgments stay the receiver's own.
  case snoop = 1
  /// In-sequence data are acknowledged as soon as the module has them.
  case early = 2

  /// Data are kept, and need memory.
  public var keepsCopies: Bool { self == .snoop || self == .early }
}
