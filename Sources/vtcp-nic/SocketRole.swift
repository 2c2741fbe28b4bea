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
  /// Instead of that: one that a process before us had.
  case handed

  /// For people.
  var name: String {
    switch self {
    case .listen(let path), .connect(let path): path
    case .descriptor(let number): "descriptor \(number)"
    case .handed: "a descriptor"
    }
  }

  /// What is still to be done with it once the program is confined.
  var use: SocketUse {
    switch self {
    case .listen(let path): .listens(path: path)
    case .connect(let path): .connects(path: path)
    case .descriptor, .handed: .accepts
    }
  }
}
