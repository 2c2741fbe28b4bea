// SPDX-License-Identifier: Apache-2.0

import Sandbox

/// Which end of the vhost-user socket we are.
enum SocketRole: Equatable {
  /// `--socket-path`: we listen, the front-end connects, again and again.
  case listen(path: String)
  /// `--connect`: the front-end listens; we connect, and try again for ever.
  case connect(path: String)
  /// `--fd`: a listening socket, or one that is connected already, handed in.
  case descriptor(Int32)

  /// For people.
  var name: String {
    switch self {
    case .listen(let path), .connect(let path): path
    case .descriptor(let number): "descriptor \(number)"
    }
  }

  /// What is still to be done with it once the program is confined.
  var use: SocketUse {
    switch self {
    case .listen(let path): .listens(path: path)
    case .connect(let path): .connects(path: path)
    case .descriptor: .accepts
    }
  }
}
