// SPDX-License-Identifier: Apache-2.0

public import Timekeeping

/// When a phase of a connection's life is over (R50, FIG. 20). Counted from the beginning of the connection, not of the phase.
public enum PhaseEnd: BitwiseCopyable, Equatable, Sendable {
  /// As soon as both SYNs are acknowledged.
  case established
  /// As soon as one of the two ends has sent so many octets.
  case octets(UInt32)
  /// So long after the connection was established.
  case time(Interval)

  /// Half the numbers that a sequence number can tell from each other.
  static let allowedOctets: ClosedRange<UInt32> = 1...1 << 31
  /// From a microsecond to a day.
  static let allowedTime: ClosedRange<Interval> = Interval.microseconds(1)...Interval.seconds(86_400)

  var isAllowed: Bool {
    switch self {
    case .established: true
    case .octets(let octets): Self.allowedOctets.contains(octets)
    case .time(let time): Self.allowedTime.contains(time)
    }
  }

  /// Whether it can't be the case before `other` is, as far as that can be known: octets and time are not compared.
  func isLater(than other: PhaseEnd) -> Bool {
    switch (other, self) {
    case (_, .established): false
    case (.established, _): true
    case (.octets(let before), .octets(let octets)): octets > before
    case (.time(let before), .time(let time)): time > before
    case (.octets, .time), (.time, .octets): true
    }
  }
}
