// SPDX-License-Identifier: Apache-2.0

import Polling

/// Why a request of the front-end was not carried out. The front-end hears of it if it asked for a reply.
enum RequestError: Error, CustomStringConvertible {
  case unknown
  /// Belongs to a protocol feature that was not negotiated.
  case notNegotiated
  case malformedPayload
  case missingDescriptor
  case noSuchVring(Int)
  case vringIsRunning(Int)
  case refused(String)
  case system(SystemError)

  var description: String {
    switch self {
    case .unknown: "it is not known"
    case .notNegotiated: "its protocol feature was not negotiated"
    case .malformedPayload: "its payload has the wrong size or form"
    case .missingDescriptor: "it came without the file descriptor that it needs"
    case .noSuchVring(let index): "there is no vring \(index)"
    case .vringIsRunning(let index): "vring \(index) is running"
    case .refused(let why): why
    case .system(let error): "\(error)"
    }
  }
}
