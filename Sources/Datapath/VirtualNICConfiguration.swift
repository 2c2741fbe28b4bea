// SPDX-License-Identifier: Apache-2.0

public import LargeSend
public import Wire

/// What an administrator says of a NIC.
public struct VirtualNICConfiguration: Sendable {
  /// Queue pairs offered to the front-end.
  public var queuePairs: Int
  /// The largest MTU that a front-end may ask for; nil: what the uplink carries.
  public var mtu: Int?
  /// The guest's MAC address: frames from another one are dropped, and frames to another station are not handed up.
  public var macAddress: MACAddress?
  /// How large a packet the guest may hand over.
  public var largeSend: LargeSendSetting

  public init(queuePairs: Int, mtu: Int?, macAddress: MACAddress?, largeSend: LargeSendSetting = .off) {
    self.queuePairs = queuePairs
    self.mtu = mtu
    self.macAddress = macAddress
    self.largeSend = largeSend
  }
}
