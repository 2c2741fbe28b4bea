// SPDX-License-Identifier: Apache-2.0

import Memory
import Wire

extension SoftwareSegmentation {
  /// A piece of the payload, `start` counted from the payload's start.
  struct Cut {
    let index: Int
    let start: Int
    let count: Int
    let isLast: Bool
  }

  /// RFC 791 §3.1. IPv6 has no checksum: an empty sum.
  static func networkSum(_ frame: ByteRegion, _ layout: FrameLayout) -> InternetChecksum {
    var sum = InternetChecksum()
    guard layout.ipVersion == 4 else { return sum }
    let header = frame.slice(from: layout.networkOffset, count: layout.transportOffset - layout.networkOffset)
    sum.add(header.slice(from: 0, count: 2))
    sum.add(header.slice(from: 6, count: 4))
    sum.add(header.suffix(from: 12))
    return sum
  }

  static func transportSum(_ frame: ByteRegion, _ layout: FrameLayout) -> InternetChecksum {
    let isIPv4 = layout.ipVersion == 4
    let addressLength = isIPv4 ? 4 : 16
    let source = layout.networkOffset + (isIPv4 ? 12 : 8)
    var sum = InternetChecksum()
    sum.addPseudoHeader(
      source: frame.slice(from: source, count: addressLength),
      destination: frame.slice(from: layout.finalDestinationOffset, count: addressLength),
      transportProtocol: layout.transportProtocol, length: 0)
    let header = frame.slice(from: layout.transportOffset, count: layout.payloadOffset - layout.transportOffset)
    sum.add(header.slice(from: 0, count: 4))
    guard layout.transportProtocol == IPProtocol.tcp else { return sum }
    sum.add(header.slice(from: TCPField.acknowledgmentNumber, count: 4))
    sum.add(header.slice(from: TCPField.window, count: 2))
    sum.add(header.suffix(from: TCPField.options))
    return sum
  }

  func patchNetworkHeader(_ scratch: ByteRegion, _ cut: Cut) {
    let layout = request.layout
    let network = layout.networkOffset
    // `OffloadCheck` refused what does not fit 16 bits, for the longest of the segments.
    let length = UInt16(truncatingIfNeeded: layout.payloadOffset &- network &+ cut.count)
    guard layout.ipVersion == 4 else {
      return scratch.storeNetworkOrder(length &- 40, at: network + 4)
    }
    let first: UInt16 = frame.networkOrder(at: network + 4)
    let identification = first &+ UInt16(truncatingIfNeeded: cut.index)
    var sum = networkSum
    sum.add(length)
    sum.add(identification)
    scratch.storeNetworkOrder(length, at: network + 2)
    scratch.storeNetworkOrder(identification, at: network + 4)
    scratch.storeNetworkOrder(sum.checksum, at: network + 10)
  }

  func patchTCP(_ scratch: ByteRegion, _ cut: Cut) {
    let header = request.layout.transportOffset
    let first: UInt32 = frame.networkOrder(at: header + TCPField.sequenceNumber)
    let sequenceNumber = first &+ UInt32(truncatingIfNeeded: cut.start)
    var control: UInt16 = frame.networkOrder(at: header + TCPField.control)
    var urgentPointer: UInt16 = frame.networkOrder(at: header + TCPField.urgentPointer)
    if !cut.isLast { control &= ~(TCPFlags.fin.rawValue | TCPFlags.psh.rawValue) }
    if cut.index > 0 {
      control &= ~TCPFlags.cwr.rawValue
      if control & TCPFlags.urg.rawValue != 0 {
        // RFC 6093 §2: it counts from the segment's own sequence number. Segments wholly behind it have none.
        let remaining = Int(urgentPointer) &- cut.start
        urgentPointer = remaining > 0 ? UInt16(truncatingIfNeeded: remaining) : 0
        if remaining <= 0 { control &= ~TCPFlags.urg.rawValue }
      }
    }
    var sum = transportSum
    sum.add(sequenceNumber)
    sum.add(control)
    sum.add(urgentPointer)
    addLengthAndPayload(to: &sum, cut)
    scratch.storeNetworkOrder(sequenceNumber, at: header + TCPField.sequenceNumber)
    scratch.storeNetworkOrder(control, at: header + TCPField.control)
    scratch.storeNetworkOrder(sum.checksum, at: header + TCPField.checksum)
    scratch.storeNetworkOrder(urgentPointer, at: header + TCPField.urgentPointer)
  }

  func patchUDP(_ scratch: ByteRegion, _ cut: Cut) {
    let header = request.layout.transportOffset
    let length = UInt16(truncatingIfNeeded: UDPField.data &+ cut.count)
    var sum = transportSum
    sum.add(length)
    addLengthAndPayload(to: &sum, cut)
    scratch.storeNetworkOrder(length, at: header + UDPField.length)
    scratch.storeNetworkOrder(sum.datagramChecksum, at: header + UDPField.checksum)
  }

  /// The pseudo-header's length, then the payload. Headers are of even length, so the payload starts on a word.
  @inline(__always)
  private func addLengthAndPayload(to sum: inout InternetChecksum, _ cut: Cut) {
    let layout = request.layout
    sum.add(UInt32(truncatingIfNeeded: layout.payloadOffset &- layout.transportOffset &+ cut.count))
    sum.add(frame.slice(from: layout.payloadOffset &+ cut.start, count: cut.count))
  }
}
