// SPDX-License-Identifier: Apache-2.0

import Wire

/// Where the headers of a frame are, written down step by step over an array: what `FrameLayout` must say.
struct LayoutModel: CustomStringConvertible {
  private let bytes: [UInt8]
  private var etherType = 0
  private var tags = 0
  private var network = 14
  private var version = 0
  private var next = 0
  private var transport = 0
  private var payload = 0
  private var destination = 0
  private var isFragment = false
  private var hasExtensions = false

  /// - Precondition: at least an Ethernet header.
  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    etherType = word(12)
    while tags < 2, etherType == 0x8100 || etherType == 0x88a8, bytes.count >= network + 4 {
      etherType = word(network + 2)
      network += 4
      tags += 1
    }
    if etherType == 0x0800 { readIPv4() }
    if etherType == 0x86dd { readIPv6() }
  }

  func matches(_ layout: FrameLayout) -> Bool {
    Int(layout.etherType) == etherType && Int(layout.vlanTagCount) == tags && layout.networkOffset == network
      && Int(layout.ipVersion) == version && Int(layout.transportProtocol) == next
      && layout.transportOffset == transport && layout.payloadOffset == payload
      && layout.finalDestinationOffset == destination && layout.isFragment == isFragment
      && layout.hasExtensionHeaders == hasExtensions
  }

  var description: String {
    "type \(etherType) tags \(tags) network \(network) version \(version) next \(next) transport \(transport) "
      + "payload \(payload) destination \(destination) fragment \(isFragment) extensions \(hasExtensions)"
  }

  private func word(_ offset: Int) -> Int { Int(bytes[offset]) << 8 | Int(bytes[offset + 1]) }

  private mutating func readIPv4() {
    guard bytes.count >= network + 20, bytes[network] >> 4 == 4 else { return }
    let length = Int(bytes[network] & 15) * 4
    guard length >= 20, bytes.count >= network + length else { return }
    version = 4
    destination = network + 16
    next = Int(bytes[network + 9])
    transport = network + length
    // Neither a fragment offset nor more fragments.
    isFragment = word(network + 6) & 0x3fff != 0
    if !isFragment { readTransport() }
  }

  private mutating func readIPv6() {
    guard bytes.count >= network + 40, bytes[network] >> 4 == 6 else { return }
    version = 6
    destination = network + 24
    next = Int(bytes[network + 6])
    var offset = network + 40
    var headers = 0
    while [0, 43, 44, 60].contains(next) {
      headers += 1
      guard headers <= 9 else { return }
      hasExtensions = true
      guard bytes.count >= offset + 8 else { return }
      let length = next == 44 ? 8 : (Int(bytes[offset + 1]) + 1) * 8
      guard bytes.count >= offset + length else { return }
      if next == 43, bytes[offset + 3] > 0 { readRoute(offset, length) }
      if next == 44, word(offset + 2) & 0xfff9 != 0 { isFragment = true }
      next = Int(bytes[offset])
      offset += length
      if isFragment {
        transport = offset
        return
      }
    }
    // The parser looks at nine headers and gives up at the ninth.
    guard headers <= 8 else { return }
    transport = offset
    readTransport()
  }

  private mutating func readRoute(_ offset: Int, _ length: Int) {
    let addresses = (length - 8) / 16
    switch bytes[offset + 2] {
    case 0 where addresses > 0, 2 where addresses > 0: destination = offset + 8 + 16 * (addresses - 1)
    case 4 where addresses > 0: destination = offset + 8
    default: destination = 0
    }
  }

  private mutating func readTransport() {
    if next == 17, bytes.count >= transport + 8 { payload = transport + 8 }
    guard next == 6, bytes.count >= transport + 20 else { return }
    let length = Int(bytes[transport + 12] >> 4) * 4
    if length >= 20, bytes.count >= transport + length { payload = transport + length }
  }
}
