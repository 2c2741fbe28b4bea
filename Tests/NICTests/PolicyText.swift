// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc

/// A policy in a file, as long as this object is there.
final class PolicyText {
  let path = "/tmp/vtcp-nic-test-\(UUID().uuidString).policy"

  init(_ text: String) throws { try Data((text + "\n").utf8).write(to: URL(fileURLWithPath: path)) }

  deinit { unlink(path) }
}
