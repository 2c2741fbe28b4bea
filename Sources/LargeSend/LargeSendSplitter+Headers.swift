// SPDX-License-Identifier: Apache-2.0

import Memory
import Wire

extension LargeSendSplitter {
  /// Makes a copy of the large frame's headers those of a piece.
  func patch(_ headers: ByteRegion, _ cut: LargeSendCut) {
    let layout = request.layout
    let network = layout.networkOffset
    let packetLength = layout.payloadOffset &- network &+ cut.count
    if layout.ipVersion == 4 {
      patchIPv4(headers.slice(from: network, count: layout.transportOffset &- network), packetLength, cut)
    } else {
      // A limit of `EgressLimits.most`, and for a single segment of `OffloadCheck`: it fits.
      headers.storeNetworkOrder(UInt16(truncatingIfNeeded: packetLength &- 40), at: network + 4)
    }
    let transport = headers.suffix(from: layout.transportOffset)
    if request.kind == .udpSegmentation {
      transport.storeNetworkOrder(UInt16(truncatingIfNeeded: UDPField.data &+ cut.count), at: UDPField.length)
      transport.storeNetworkOrder(pseudoHeaderSum(headers, cut), at: UDPField.checksum)
    } else {
      patchTCP(transport, cut)
      transport.storeNetworkOrder(pseudoHeaderSum(headers, cut), at: TCPField.checksum)
    }
  }

  private func patchIPv4(_ header: ByteRegion, _ packetLength: Int, _ cut: LargeSendCut) {
    let first: UInt16 = header.networkOrder(at: 4)
    header.storeNetworkOrder(UInt16(exactly: packetLength) ?? 0, at: 2)
    header.storeNetworkOrder(first &+ UInt16(truncatingIfNeeded: cut.start / cut.segmentSize), at: 4)
    header.storeNetworkOrder(UInt16(0), at: 10)
    var sum = InternetChecksum()
    sum.add(header)
    header.storeNetworkOrder(sum.checksum, at: 10)
  }

  /// The same rules as for segments: `SoftwareSegmentation`.
  private func patchTCP(_ header: ByteRegion, _ cut: LargeSendCut) {
    let first: UInt32 = header.networkOrder(at: TCPField.sequenceNumber)
    header.storeNetworkOrder(first &+ UInt32(truncatingIfNeeded: cut.start), at: TCPField.sequenceNumber)
    var control: UInt16 = header.networkOrder(at: TCPField.control)
    if !cut.isLast { control &= ~(TCPFlags.fin.rawValue | TCPFlags.psh.rawValue) }
    if cut.start > 0 {
      control &= ~TCPFlags.cwr.rawValue
      if control & TCPFlags.urg.rawValue != 0 {
        let remaining = Int(header.networkOrder(UInt16.self, at: TCPField.urgentPointer)) &- cut.start
        header.storeNetworkOrder(UInt16(truncatingIfNeeded: max(remaining, 0)), at: TCPField.urgentPointer)
        if remaining <= 0 { control &= ~TCPFlags.urg.rawValue }
      }
    }
    header.storeNetworkOrder(control, at: TCPField.control)
  }

  private func pseudoHeaderSum(_ headers: ByteRegion, _ cut: LargeSendCut) -> UInt16 {
    let layout = request.layout
    let addressLength = layout.ipVersion == 4 ? 4 : 16
    var sum = InternetChecksum()
    sum.addPseudoHeader(
      source: headers.slice(from: layout.networkOffset &+ (layout.ipVersion == 4 ? 12 : 8), count: addressLength),
      destination: headers.slice(from: layout.finalDestinationOffset, count: addressLength),
      transportProtocol: layout.transportProtocol,
      length: UInt32(truncatingIfNeeded: layout.payloadOffset &- layout.transportOffset &+ cut.count))
    return sum.sum
  }
}
