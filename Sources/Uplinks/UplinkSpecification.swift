// SPDX-License-Identifier: Apache-2.0

/// Which way to the network: what `--uplink` says.
public enum UplinkSpecification: Equatable, Sendable, CustomStringConvertible {
  /// `tap:NAME`: a TAP interface, created when there is none of this name.
  case tap(String)
  /// `packet:IFNAME`: a packet socket on an interface that exists.
  case packetSocket(String)
  /// `fd:N`: an open TAP, or a unix socket of datagrams.
  case descriptor(Int32)
  /// `null`: everything sent is dropped and nothing arrives.
  case null

  /// The kernel's IFNAMSIZ less the terminating zero.
  static let maximumNameLength = 15

  public init(parsing text: String) throws(UplinkError) {
    let forms = "use tap:NAME, packet:IFNAME, fd:N or null"
    guard text != "null" else {
      self = .null
      return
    }
    guard let colon = text.firstIndex(of: ":") else {
      throw UplinkError("The uplink '\(text)' is not known: \(forms).")
    }
    let value = String(text[text.index(after: colon)...])
    switch text[..<colon] {
    case "tap": self = .tap(try Self.interfaceName(value))
    case "packet": self = .packetSocket(try Self.interfaceName(value))
    case "fd": self = .descriptor(try Self.descriptorNumber(value))
    default: throw UplinkError("The uplink '\(text)' is not known: \(forms).")
    }
  }

  public var description: String {
    switch self {
    case .tap(let name): "tap:\(name)"
    case .packetSocket(let name): "packet:\(name)"
    case .descriptor(let number): "fd:\(number)"
    case .null: "null"
    }
  }

  /// What the kernel takes for a name (dev_valid_name), and no `%`, which would make it choose a number.
  private static func interfaceName(_ name: String) throws(UplinkError) -> String {
    guard !name.isEmpty else {
      throw UplinkError("The uplink lacks the interface's name: use tap:NAME or packet:NAME.")
    }
    guard name.utf8.count <= maximumNameLength else {
      throw UplinkError("The interface name '\(name)' is longer than \(maximumNameLength) bytes.")
    }
    let forbidden = name.utf8.contains { $0 <= 0x20 || $0 == 0x7F || "/:%".utf8.contains($0) }
    guard !forbidden, name != ".", name != ".." else {
      throw UplinkError("The interface name '\(name)' must not contain spaces, '/', ':' or '%', nor be '.' or '..'.")
    }
    return name
  }

  private static func descriptorNumber(_ text: String) throws(UplinkError) -> Int32 {
    guard let number = Int32(text), number > 2 else {
      throw UplinkError("The uplink's descriptor '\(text)' must be a number above 2, as in fd:5.")
    }
    return number
  }
}
