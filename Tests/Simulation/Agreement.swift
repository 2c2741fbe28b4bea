// SPDX-License-Identifier: Apache-2.0

public import CongestionControl

/// By how much our window differs from a kernel's on the kernel's own schedule.
public struct Agreement: Sendable, CustomStringConvertible {
  public let algorithm: CongestionAlgorithm
  /// And marks.
  public let losses: Int
  /// Acknowledgments from the first loss on after which the windows were compared, and the largest of the kernel's, in segments.
  public let compared: Int
  public let largestWindow: Int
  public let mostSegments: Double
  public let medianSegments: Double
  public let mostPercent: Double
  public let medianPercent: Double
  /// The same as `mostSegments` and `medianSegments`, with what was before the first loss, if ours goes its own way from the first acknowledgment to the last.
  public let mostUnaligned: Double
  public let medianUnaligned: Double
  public let isWithinBound: Bool

  /// - Parameter change: as of `Replay`.
  public init(_ schedule: RecordedSchedule, change: (inout CongestionKnobs) -> Void = { _ in }) {
    let replay = Replay(schedule, change: change)
    algorithm = schedule.algorithm
    losses = replay.losses
    let windows = replay.windows.filter { $0.losses > 0 && $0.isComparable }
    compared = windows.count
    largestWindow = windows.map(\.theirs).max() ?? 0
    (medianSegments, mostSegments) = Self.medianAndMost(windows.map(\.segments))
    (medianPercent, mostPercent) = Self.medianAndMost(windows.map(\.percent))
    (medianUnaligned, mostUnaligned) = Self.medianAndMost(Replay(schedule, aligned: false).windows.map(\.segments))
    let most = mostSegments
    isWithinBound =
      switch Self.bound(algorithm) {
      case .segment: compared > 0 && most <= 1
      case .percent: compared > 0 && windows.allSatisfy { $0.segments <= 1 || $0.percent <= 5 }
      case .curve: compared > 0 && windows.allSatisfy { $0.segments <= 2 || $0.percent <= 5 }
      case .delay: compared > 0 && medianPercent <= 5 && windows.allSatisfy { $0.segments <= 2 || $0.percent <= 10 }
      case .steps: compared > 0 && medianPercent <= 10 && windows.allSatisfy { $0.segments <= 2 || $0.percent <= 25 }
      case .none: compared > 0
      }
  }

  /// How far apart the windows may be; docs/algorithms.md says why.
  private enum Bound: String {
    case segment = "1 segment everywhere"
    case percent = "5 % or 1 segment everywhere"
    /// Linux rounds where the curve is to whole segments, and its window.
    case curve = "5 % or 2 segments everywhere"
    /// Linux begins its count anew at each step.
    case delay = "5 % in the median and 10 % or 2 segments everywhere"
    /// Linux grows by whole segments for whole steps of alpha, and looks at it once for each.
    case steps = "10 % in the median and 25 % or 2 segments everywhere"
    /// Linux does something else; by how much is only told.
    case none = "no bound"
  }

  private static func bound(_ algorithm: CongestionAlgorithm) -> Bound {
    switch algorithm {
    case .newReno, .scalable, .highSpeed, .dctcp: .segment
    case .bic, .vegas, .westwood: .percent
    case .cubic: .curve
    case .illinois: .delay
    case .hTCP: .steps
    // What goes by rates is not replayed: it would need when each segment was sent.
    case .none, .bbr, .bbr3: .none
    }
  }

  private static func medianAndMost(_ numbers: [Double]) -> (Double, Double) {
    let sorted = numbers.map { ($0 * 100).rounded() / 100 }.sorted()
    return sorted.isEmpty ? (0, 0) : (sorted[sorted.count / 2], sorted[sorted.count - 1])
  }

  public var description: String {
    "\(algorithm): \(losses) losses, \(compared) windows up to \(largestWindow) segments; apart \(medianSegments) (median) to \(mostSegments) segments,"
      + " \(medianPercent) to \(mostPercent) %; unaligned \(medianUnaligned) to \(mostUnaligned) segments;"
      + " \(isWithinBound ? "within" : "beyond") \(Self.bound(algorithm).rawValue)"
  }

  public var json: String {
    "{\"algorithm\": \"\(algorithm)\", \"losses\": \(losses), \"compared\": \(compared), \"largest_window\": \(largestWindow),"
      + " \"median_segments\": \(medianSegments), \"most_segments\": \(mostSegments),"
      + " \"median_percent\": \(medianPercent), \"most_percent\": \(mostPercent),"
      + " \"median_unaligned\": \(medianUnaligned), \"most_unaligned\": \(mostUnaligned), \"within\": \(isWithinBound)}"
  }
}
