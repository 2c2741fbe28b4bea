// SPDX-License-Identifier: Apache-2.0

public import Polling

/// Parts of root's power (capabilities(7)), by their numbers in the kernel.
public struct Capabilities: OptionSet, Sendable, CustomStringConvertible {
  public let rawValue: UInt64

  public init(rawValue: UInt64) {
    self.rawValue = rawValue
  }

  private init(bit: UInt64) {
    rawValue = 1 << bit
  }

  /// CAP_CHOWN: sockets and files get the user and group that are to use them.
  public static let changeOwner = Capabilities(bit: 0)
  /// CAP_KILL: a NIC of another user is told to end.
  public static let kill = Capabilities(bit: 5)
  /// CAP_SETGID and CAP_SETUID: a NIC gets its own user.
  public static let setGroup = Capabilities(bit: 6)
  public static let setUser = Capabilities(bit: 7)
  /// CAP_SETPCAP: what is not kept leaves the bounding set too.
  public static let setCapabilities = Capabilities(bit: 8)
  /// CAP_NET_ADMIN: TAPs are made and join bridges.
  public static let networkAdministration = Capabilities(bit: 12)
  /// CAP_NET_RAW: packet sockets.
  public static let rawNetwork = Capabilities(bit: 13)

  private static let names: [(Capabilities, String)] = [
    (.changeOwner, "CHOWN"), (.kill, "KILL"),
    (.setGroup, "SETGID"),
    (.setUser, "SETUID"), (.setCapabilities, "SETPCAP"), (.networkAdministration, "NET_ADMIN"),
    (.rawNetwork, "NET_RAW"),
  ]

  public var description: String {
    let names = Self.names.filter { contains($0.0) }.map(\.1)
    return names.isEmpty ? "none" : names.joined(separator: " ")
  }

  /// Gives up all but these. Returns which of them we have; `isBounded`: no program that we start can have others either.
  public static func keep(_ kept: Capabilities) throws(SystemError) -> (have: Capabilities, isBounded: Bool) {
    let result = try SystemCalls.keepCapabilities(kept.rawValue)
    return (Capabilities(rawValue: result.have), result.isBounded)
  }
}
