// SPDX-License-Identifier: Apache-2.0

import Capture
import TCPPolicy
import Wire

/// `capture` and its words at the control socket: which frames somebody wants to see, and how much of them (docs/control.md).
struct CaptureRequest: Equatable {
  static let words =
    "leg=guest|network|both, snap=headers|BYTES, count=N, protocol=NAME, host=ADDRESS, port=N, end=ADDRESS:PORT"
  private static let names = ["leg", "snap", "count", "protocol", "host", "port", "end"]
  /// Names of protocols: EtherType, and numbers over IP.
  private static let protocols: [(name: String, etherType: UInt16?, numbers: [UInt8])] = [
    ("tcp", nil, [IPProtocol.tcp]), ("udp", nil, [IPProtocol.udp]),
    ("icmp", nil, [IPProtocol.icmp, IPProtocol.icmpIPv6]), ("arp", EtherType.arp, []), ("ip", EtherType.ipv4, []),
    ("ip6", EtherType.ipv6, []),
  ]

  var filter = CaptureFilter()
  var snapLength = SnapLength.headers
  /// Frames after which it is done; nil: when the other end says so.
  var limit: Int?

  init(parsing words: some Sequence<Substring>) throws(ControlError) {
    for word in words {
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2 else { throw Self.unknown(parts[0]) }
      try set(String(parts[0]), parts[1])
    }
  }

  private mutating func set(_ name: String, _ value: Substring) throws(ControlError) {
    switch name {
    case "leg": try setLeg(value)
    case "snap":
      if value == "headers" {
        snapLength = .headers
      } else {
        guard let count = Int(value), (14...SnapLength.most).contains(count) else {
          throw ControlError("snap is headers, or bytes of a frame from 14 to \(SnapLength.most), not '\(value)'")
        }
        snapLength = .bytes(count)
      }
    case "count":
      guard let count = Int(value), count > 0 else {
        throw ControlError("count is a number of packets from 1 on, not '\(value)'")
      }
      limit = count
    case "protocol":
      guard let known = Self.protocols.first(where: { $0.name == value }) else {
        let names = Self.protocols.map(\.name)
        let hint = NearestWord.of(value, in: names).map { "; did you mean \($0)?" } ?? ""
        throw ControlError("protocol is one of \(names.joined(separator: ", ")), not '\(value)'\(hint)")
      }
      filter.etherType = known.etherType
      filter.transportProtocols = known.numbers
    case "host", "port", "end": try add(name, value)
    default: throw Self.unknown(Substring(name))
    }
  }

  private mutating func setLeg(_ value: Substring) throws(ControlError) {
    if value == "both" {
      filter.interface = nil
      return
    }
    guard let interface = CapturePoint.Interface.allCases.first(where: { $0.name == value }) else {
      throw ControlError("leg is guest, network or both, not '\(value)'")
    }
    filter.interface = interface
  }

  private mutating func add(_ name: String, _ value: Substring) throws(ControlError) {
    guard filter.ends.count < CaptureFilter.mostEnds else {
      throw ControlError("of hosts, ports and ends there are \(CaptureFilter.mostEnds) at the most")
    }
    switch name {
    case "port":
      guard let port = UInt16(value) else { throw ControlError("port is a number from 0 to 65535, not '\(value)'") }
      filter.ends.append(EndMatch(port: port))
    case "host":
      guard let end = Self.end(value, port: nil) else {
        throw ControlError("host is an address, of IPv4 or IPv6, not '\(value)'")
      }
      filter.ends.append(end)
    default:
      guard let end = Self.endpoint(value) else {
        throw ControlError("end is ADDRESS:PORT, or [ADDRESS]:PORT of IPv6, not '\(value)'")
      }
      filter.ends.append(end)
    }
  }

  private static func endpoint(_ text: Substring) -> EndMatch? {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else { return nil }
    let address = text[..<colon]
    guard address.contains(":") else { return end(address, port: port) }
    guard address.hasPrefix("["), address.hasSuffix("]") else { return nil }
    return end(address.dropFirst().dropLast(), port: port)
  }

  private static func end(_ address: Substring, port: UInt16?) -> EndMatch? {
    if let number = AddressParser.ipv4(address) {
      return EndMatch(ipVersion: 4, addressHigh: 0, addressLow: UInt64(number), port: port)
    }
    guard let number = AddressParser.ipv6(address) else { return nil }
    return EndMatch(ipVersion: 6, addressHigh: number.high, addressLow: number.low, port: port)
  }

  private static func unknown(_ word: Substring) -> ControlError {
    let hint = NearestWord.of(word, in: names).map { "; did you mean \($0)=?" } ?? ""
    return ControlError("capture has no '\(word)'\(hint); it takes \(words)")
  }
}
