// SPDX-License-Identifier: Apache-2.0

public import Memory

/// The frame that tells switches where a station now is: a broadcast RARP request (RFC 903), as QEMU sends it for a
/// guest that has just arrived by migration. Switches learn its source address; no station answers it.
public enum ReverseARP {
  /// Bytes of the frame: the least that Ethernet carries, without the frame check sequence.
  public static let length = 60

  /// "request reverse", RFC 903.
  private static let requestReverse: UInt16 = 3

  /// Writes the request of `station` for its own address into the first `length` of `frame`.
  public static func encodeRequest(of station: MACAddress, into frame: ByteRegion) {
    frame.slice(from: 0, count: length).fill(with: 0)
    MACAddress.broadcast.encode(into: frame, at: 0)
    station.encode(into: frame, at: 6)
    frame.storeNetworkOrder(EtherType.reverseARP, at: 12)
    // The packet is RFC 826's: hardware type Ethernet, protocol type IPv4, their address lengths, the operation.
    frame.storeNetworkOrder(UInt16(1), at: 14)
    frame.storeNetworkOrder(EtherType.ipv4, at: 16)
    frame.store(UInt8(MACAddress.length), at: 18)
    frame.store(UInt8(4), at: 19)
    frame.storeNetworkOrder(requestReverse, at: 20)
    // Sender and target hardware addresses are both the station's; the protocol addresses stay zero.
    station.encode(into: frame, at: 22)
    station.encode(into: frame, at: 32)
  }
}
