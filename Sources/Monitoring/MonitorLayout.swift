// SPDX-License-Identifier: Apache-2.0

/// Where what lies in the memory of the statistics (docs/monitoring.md). Little-endian; offsets are of the file.
enum MonitorLayout {
  /// The bytes "vTCPmoni".
  static let magic: UInt64 = 0x696e_6f6d_5043_5476
  static let version: UInt32 = 1

  // The header.
  static let magicOffset = 0
  static let versionOffset = 8
  static let headerBytesOffset = 12
  static let byteCountOffset = 16
  /// Then the number of counters; likewise for what follows: where, how many, and of how many bytes each.
  static let countersOffset = 24
  static let histogramsOffset = 32
  static let flowsOffset = 44
  static let processOffset = 56
  static let modeOffset = 60
  static let startedOffset = 64
  static let updatedOffset = 72
  /// One more than the highest place that ever held a connection, from 0; then four numbers of now.
  static let flowsEndOffset = 80
  static let flowCountOffset = 84
  static let heldChunksOffset = 88
  static let chunkLimitOffset = 92
  static let chunkBytesOffset = 96
  /// Where, how many, and of how many bytes each: not in files of earlier writers, where there is 0.
  static let classesOffset = 100
  /// Rates in force, in bits per second: guest to network, and network to guest; 0: none, as in files of earlier writers.
  static let ratesOffset = 112
  static let uplinkOffset = 128
  static let uplinkBytes = 64
  static let socketOffset = 192
  static let socketBytes = 128
  /// Connections that are followed at once by the policy in force; 0: as many as there is room for, as in files of earlier writers.
  static let flowLimitOffset = 320

  static let headerBytes = 4096
  static let histogramsBegin = 8192
  static let histogramStride = 2048
  /// In a histogram: the sum of all values, then the buckets.
  static let bucketsOffset = 8
  static let classesBegin = histogramsBegin + histogramStride * MonitorHistogram.allCases.count
  static let classCount = 256
  static let classStride = 256
  /// In a class: its connections, then a `delivered` and the counters for each leg, and its name.
  static let classNameOffset = 8 * (1 + 2 * (1 + LegCounter.allCases.count))
  static let classNameBytes = 32
  static let flowsBegin = classesBegin + classStride * classCount
  static let flowStride = 256
  /// In a flow: the sequence word, then the `FlowReport`.
  static let reportOffset = 8

  static let countersBegin = headerBytes
  static let counterCount = 2 * LegCounter.allCases.count + MonitorCounter.allCases.count
  /// That a file of this version has: of the legs, and of the module as it was first.
  static let fewestCounters = 2 * LegCounter.allCases.count + 11
  static let mostCounters = (histogramsBegin - countersBegin) / 8

  /// Places among the counters: the guest's leg's, the network's, then those of the module, which may become more.
  static func place(_ counter: LegCounter, isNetwork: Bool) -> Int {
    (isNetwork ? LegCounter.allCases.count : 0) + counter.rawValue
  }

  /// Octets from the begin of a class, of what a leg's end has acknowledged; the leg's counters follow it.
  static func classOffset(isNetwork: Bool) -> Int { 8 * (isNetwork ? 2 + LegCounter.allCases.count : 1) }

  static func place(_ counter: MonitorCounter) -> Int { 2 * LegCounter.allCases.count + counter.rawValue }

  /// A reader looks at no more.
  static let mostFlows = 1 << 24
}
