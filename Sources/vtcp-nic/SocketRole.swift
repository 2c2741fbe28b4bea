// SPDX-License-Identifier: Apache-2.0

/// Which end of the vhost-user socket we are.
enum SocketRole: Equatable {
  /// `--socket-path`: we listen, the front-end connects, again and again.
  case listen(path: String)
  /// `--connect`: the front-end listens; we connect, and try again for ever.
  case connect(path: String)
  /// `--fd`: a listening socket, or one that is connected already, handed in.
  case descriptor(Int32)
}
