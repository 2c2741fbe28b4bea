// SPDX-License-Identifier: Apache-2.0

import HostService
import HostSystem
import Polling

/// Which policy a NIC has, and which it is to have.
struct NICPolicyState {
  /// As large as vtcp-nic takes them.
  static let mostOctets = 1 << 20

  /// Of what it has, as far as we know; nil: none.
  var digest: String?
  /// Of what is being told; nil: nothing is.
  var telling: String?
  /// The service's revision that its text is of.
  var revision = 0
  /// Why it has not got what it is to have.
  var failure: String?
  var warnings: [String] = []

  /// What a NIC that runs since before us was started with or told last.
  mutating func recall(_ path: String) {
    guard let octets = try? HostFile.read(path, limit: Self.mostOctets) else { return }
    digest = SHA256.hexadecimal(of: octets)
  }
}
