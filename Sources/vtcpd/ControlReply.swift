// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
import HostService

/// Where the answer to one request goes, once; who asked may have gone meanwhile.
final class ControlReply {
  /// Who asks, by number: for the history.
  let user: UInt32
  private weak var connection: ControlConnection?
  private var isDone = false

  init(_ connection: ControlConnection, user: UInt32) {
    self.connection = connection
    self.user = user
  }

  deinit {
    // Nobody waits in vain, whatever is forgotten here.
    guard !isDone else { return }
    connection?.answer(ControlAnswer(.failed, ControlFailure("the request was not answered: a defect of vtcpd")))
  }

  func send(_ answer: ControlAnswer) {
    guard !isDone else { return }
    isDone = true
    connection?.answer(answer)
  }

  func send(_ value: JSONValue) { send(ControlAnswer(.good, value)) }

  func send(_ error: ServiceError) { send(error.answer) }

  /// Lines from now on, as they come.
  func stream() {
    isDone = true
    connection?.stream()
  }
}
