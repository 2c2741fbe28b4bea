// SPDX-License-Identifier: Apache-2.0

/// One direction of an interface's `<bandwidth>`, in libvirt's units.
public struct BandwidthLimit: Equatable, Sendable {
  /// Kilobytes (1000 octets) per second, over a longer time.
  public let average: Int
  /// Kilobytes per second for as long as a burst lasts; nil: not said.
  public let peak: Int?
  /// KiB that may go at `peak`; nil: not said.
  public let burst: Int?

  public init(average: Int, peak: Int? = nil, burst: Int? = nil) {
    self.average = average
    self.peak = peak
    self.burst = burst
  }

  /// `average` in bits per second, at most what an `Int` holds.
  public var bitsPerSecond: Int { Self.bits(average) }
  /// `peak` in bits per second.
  public var peakBitsPerSecond: Int? { peak.map(Self.bits) }

  private static func bits(_ kilobytes: Int) -> Int {
    let (bits, overflows) = kilobytes.multipliedReportingOverflow(by: 8000)
    return overflows ? .max : bits
  }
}
