// SPDX-License-Identifier: Apache-2.0

/// The algorithm and what it alone remembers. The cases share their memory.
enum AlgorithmState: BitwiseCopyable {
  case none
  case newReno
  case cubic(Cubic)

  init(_ algorithm: CongestionAlgorithm) {
    switch algorithm {
    case .none: self = .none
    case .newReno: self = .newReno
    case .cubic: self = .cubic(Cubic())
    }
  }

  var algorithm: CongestionAlgorithm {
    switch self {
    case .none: .none
    case .newReno: .newReno
    case .cubic: .cubic
    }
  }
}
