// SPDX-License-Identifier: Apache-2.0

import Administration
import Polling

/// The signals that end what goes on, as something to wait for.
enum Signals {
  static func make() throws(AdministrationError) -> SignalDescriptor {
    do throws(SystemError) { return try SignalDescriptor() } catch { throw .failed("\(error)") }
  }
}
