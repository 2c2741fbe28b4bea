// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The calls of this program that take addresses.
///
/// SAFETY: each gets a range of an array, for the length of the call, with the range's own count.
enum SystemCalls {
  /// Octets that were written; -1: errno says why not.
  static func write(_ octets: ArraySlice<UInt8>, to descriptor: Int32) -> Int {
    octets.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
  }

  /// Octets that were read; -1: errno says why not.
  static func read(_ descriptor: Int32, into octets: inout [UInt8]) -> Int {
    octets.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
  }
}
