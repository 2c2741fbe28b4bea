// SPDX-License-Identifier: Apache-2.0

import ControlProtocol

/// The command line.
struct APIOptions {
  /// What to do instead of serving.
  enum Question {
    case help
    case document
  }

  static let help = """
    vtcp-api: HTTP for vtcpd, one to one; what there is says GET /v1/openapi.yaml. See docs/http-api.md.

    usage: vtcp-api [OPTION...]

    OPTIONs:
      --control-socket PATH  vtcpd's (/run/vtcp/control.sock)
      --socket PATH          listen there for HTTP (/run/vtcp/api.sock): who may open the socket may ask
      --listen PORT          listen on the loopback addresses, too; needs --token-file
      --token-file FILE      what callers of --listen have to know: Authorization: Bearer TOKEN. Nobody else may read the file
      --document             print the OpenAPI document, and end
      --help

    What may be changed is vtcpd's decision, by the user that this program runs as.

    """

  /// Longest path of a Unix socket, in octets.
  private static let longestPath = 107

  var controlSocket = ControlClient.defaultPath
  var socket = "/run/vtcp/api.sock"
  /// A TCP port of the loopback addresses.
  var port: UInt16?
  var tokenFile: String?
  var question: Question?

  /// `arguments` without the program's name.
  init(parsing arguments: [String]) throws {
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      switch argument {
      case "--help", "-h": question = .help
      case "--document": question = .document
      default: try set(argument, &rest)
      }
    }
    for path in [controlSocket, socket] where path.utf8.count > Self.longestPath {
      throw APIOptionsError("\(path): the path of a Unix socket has at most \(Self.longestPath) octets")
    }
    guard port == nil || tokenFile != nil else {
      throw APIOptionsError(
        "--listen is for everybody on this host: add --token-file=FILE, with what callers have to know")
    }
  }

  private mutating func set(_ argument: String, _ rest: inout ArraySlice<String>) throws {
    let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0])
    guard ["--control-socket", "--socket", "--listen", "--token-file"].contains(name) else {
      throw APIOptionsError("there is no option \(name); --help lists those that there are")
    }
    guard let value = parts.count == 2 ? String(parts[1]) : rest.popFirst(), !value.isEmpty else {
      throw APIOptionsError("\(name) needs a value")
    }
    switch name {
    case "--control-socket": controlSocket = value
    case "--socket": socket = value
    case "--token-file": tokenFile = value
    default:
      guard let number = UInt16(value), number > 0 else {
        throw APIOptionsError("--listen is a port, 1 to 65535, not '\(value)'; it is on the loopback addresses only")
      }
      port = number
    }
  }
}
