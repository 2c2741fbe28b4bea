// SPDX-License-Identifier: Apache-2.0

import Wire

/// One `<interface type='vhostuser'>`.
extension DomainReader {
  /// The longest path of a Unix socket (unix(7)).
  private static let longestPath = 107

  mutating func interface(_ element: XMLElement) -> DomainInterface? {
    guard let source = element.first("source") else {
      // passt's are made by libvirt, and have none.
      if element.first("backend")?["type"] == nil {
        note(element, "a vhostuser interface needs <source type='unix' path='...' mode='client'>")
      }
      return nil
    }
    guard let path = path(source), let mode = mode(source) else { return nil }
    var interface = DomainInterface(path: path, mode: mode, place: element.place)
    interface.alias = element.first("alias")?["name"].flatMap { DomainText.isWord($0) ? $0 : nil }
    if let mac = element.first("mac"), let text = mac["address"] { interface.macAddress = macAddress(mac, text) }
    if let reconnect = source.first("reconnect"), reconnect["enabled"] == "yes" {
      interface.reconnects = true
      interface.reconnectSeconds = reconnect["timeout"].flatMap {
        number(reconnect, $0, "a reconnect's timeout", 0...1_000_000)
      }
    }
    if let driver = element.first("driver"), let text = driver["queues"] {
      interface.queues = number(driver, text, "the number of queues", 1...1024) ?? 1
    }
    if let mtu = element.first("mtu"), let text = mtu["size"] {
      interface.mtuElement = number(mtu, text, "an MTU", 68...65_535)
    }
    if let bandwidth = element.first("bandwidth") {
      interface.inbound = limit(bandwidth.first("inbound"))
      interface.outbound = limit(bandwidth.first("outbound"))
    }
    return interface
  }

  private mutating func path(_ source: XMLElement) -> String? {
    guard let path = source["path"] else {
      note(source, "the source of a vhostuser interface needs the socket's path")
      return nil
    }
    guard (1...Self.longestPath).contains(path.utf8.count), path.utf8.first == UInt8(ascii: "/"),
      path.unicodeScalars.allSatisfy(DomainText.isPrintable)
    else {
      note(
        source,
        "a socket's path is absolute, with at most \(Self.longestPath) octets, all printable, not \(DomainText.shown(path))"
      )
      return nil
    }
    return path
  }

  private mutating func mode(_ source: XMLElement) -> SocketMode? {
    guard let text = source["mode"], let mode = SocketMode(rawValue: text) else {
      note(
        source,
        "a socket's mode is client (QEMU connects to us) or server, not \(DomainText.shown(source["mode"] ?? ""))")
      return nil
    }
    return mode
  }

  private mutating func limit(_ element: XMLElement?) -> BandwidthLimit? {
    guard let element else { return nil }
    // Without `average` only `floor` is said, which is for networks of libvirt's own.
    guard let text = element["average"], let average = number(element, text, "average", 1...Int(UInt32.max)) else {
      return nil
    }
    return BandwidthLimit(
      average: average,
      peak: element["peak"].flatMap { number(element, $0, "peak", 1...Int(UInt32.max)) },
      burst: element["burst"].flatMap { number(element, $0, "burst", 1...Int(UInt32.max)) })
  }
}
