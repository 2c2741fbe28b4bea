// SPDX-License-Identifier: Apache-2.0

public import Memory
import Virtio

/// What can be fuzzed. A target gives its input to the real code and compares what comes out with what must hold.
///
/// An input is a run of octets that `InputReader` reads numbers from; each target's file says what they mean. Every
/// octet string is an input: what is missing at its end is zero.
public enum FuzzTarget: String, CaseIterable, Sendable {
  /// A front-end that says anything, with any descriptors, in any pieces.
  case messages
  /// A driver that writes anything into split rings.
  case split
  /// The same for packed rings.
  case packed
  /// Frames of any octets before everything that reads headers.
  case headers
  /// Frames with any request for offload.
  case offloads
  /// Frames that are larger than what comes next takes.
  case pieces
  /// The vTCP module between two ends that send any segments.
  case module
  /// The text of a policy.
  case policy
  /// Texts of the policy language.
  case language
  /// The XML of a domain.
  case domain
  /// Requests to vtcpd, and its answers.
  case control

  /// Runs one input. Nothing of it is left afterwards: the next one gives what it would give alone.
  public func run(_ input: ByteRegion) throws {
    switch self {
    case .messages: try MessagesTarget.run(InputReader(input))
    case .split: try RingTarget.run(InputReader(input), .split)
    case .packed: try RingTarget.run(InputReader(input), .packed)
    case .headers: try HeadersTarget.run(InputReader(input))
    case .offloads: try OffloadsTarget.run(InputReader(input))
    case .pieces: try PiecesTarget.run(InputReader(input))
    case .module: try ModuleTarget.run(InputReader(input))
    case .policy: try PolicyTarget.run(InputReader(input))
    case .language: try LanguageTarget.run(InputReader(input))
    case .domain: try DomainTarget.run(InputReader(input))
    case .control: try ControlTarget.run(InputReader(input))
    }
  }
}
