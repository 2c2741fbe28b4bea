// SPDX-License-Identifier: Apache-2.0

/// How libvirt calls a hook: `NAME OPERATION SUBOPERATION EXTRA`.
public struct HookCall: Equatable, Sendable {
  /// Where vtcpd listens, and where its NICs' sockets are, if the command line says nothing else.
  public static let defaultControlSocket = "/run/vtcp/control.sock"
  public static let defaultFolder = "/run/vtcp"

  /// The domain's.
  public let name: String
  /// As libvirt said it; there may be ones that we don't know.
  public let operation: String
  /// `begin`, `end` or `-`.
  public let suboperation: String
  /// `-`, or since libvirt 10 why it has stopped.
  public let extra: String
  public private(set) var controlSocket = Self.defaultControlSocket
  public private(set) var folder = Self.defaultFolder

  /// - Parameter arguments: without the program's name. The last four are libvirt's, and may be anything; options stand before them, where a
  ///   script of the administrator's puts them.
  public init(arguments: [String]) throws(HookCallError) {
    guard arguments.count >= 4 else { throw HookCallError("\(arguments.count) arguments, where libvirt gives four") }
    let own = arguments.suffix(4)
    (name, operation) = (own[own.startIndex], own[own.startIndex + 1])
    (suboperation, extra) = (own[own.startIndex + 2], own[own.startIndex + 3])
    for option in arguments.dropLast(4) {
      if let path = Self.value(option, "--control-socket=") {
        controlSocket = path
      } else if let path = Self.value(option, "--run-directory=") {
        folder = path
        // The socket is in the same folder, unless it is said to be elsewhere.
        if controlSocket == Self.defaultControlSocket { controlSocket = path + "/control.sock" }
      } else {
        throw HookCallError("there is no option \(option)")
      }
    }
  }

  /// Nil: one that is newer than this program.
  public var known: HookOperation? { HookOperation(rawValue: operation) }

  private static func value(_ option: String, _ prefix: String) -> String? {
    option.hasPrefix(prefix) ? String(option.dropFirst(prefix.count)) : nil
  }
}
