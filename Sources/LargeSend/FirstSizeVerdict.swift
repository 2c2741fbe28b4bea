// SPDX-License-Identifier: Apache-2.0

/// How a trial ended, and why.
public struct FirstSizeVerdict: BitwiseCopyable, Equatable, Sendable, CustomStringConvertible {
  public enum Outcome: UInt8, BitwiseCopyable, Sendable {
    /// `other` is announced from now on.
    case adopted
    /// It was not found better; `present` stays.
    case kept
    /// It made no difference to the packets that the guest sent.
    case withoutEffect
  }

  public let outcome: Outcome
  /// The multiple that was settled on when the trial began.
  public let present: Int
  /// The one that was tried.
  public let other: Int
  /// What was seen with both, in the last round of the trial.
  public let presentFigures: FirstSizeFigures
  public let otherFigures: FirstSizeFigures

  /// For logs: "2 -> 4: 310 -> 270 us of processor per MiB, 820 -> 850 MB/s, held 52 -> 104 us, packets of 131 -> 262 kB".
  public var description: String {
    let verb =
      switch outcome {
      case .adopted: "\(present) -> \(other)"
      case .kept: "\(present), not \(other)"
      case .withoutEffect: "\(present), \(other) had no effect"
      }
    func both(_ figure: (FirstSizeFigures) -> Int) -> String {
      "\((figure(presentFigures)) / 1000) -> \((figure(otherFigures)) / 1000)"
    }
    return verb + ": " + both(\.processorTimePerMebibyte) + " us of processor per MiB, "
      + both { $0.bytesPerSecond / 1000 } + " MB/s, held " + both(\.meanHold) + " us, packets of "
      + both(\.bytesPerPacket) + " kB"
  }
}
