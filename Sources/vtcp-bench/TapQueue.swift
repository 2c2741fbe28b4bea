// SPDX-License-Identifier: Apache-2.0

import CBench
import CLinux
import Polling
import Virtio

/// Queues of an existing TAP whose other side is the stack of the guest that is played.
enum TapQueue {
  private static let invalid: Int32 = -22

  /// One descriptor a queue, with a virtio header of 12 bytes. `features` say what the stack may leave to the device.
  static func open(_ name: String, queues: Int, features: VirtioFeatures) throws -> [OwnedDescriptor] {
    try SystemCalls.check("the interface \(name)", vtcp_interface_index(name))
    var flags = VTCP_TAP_VNET_HEADER | (queues > 1 ? VTCP_TAP_MULTI_QUEUE : 0)
    var first = vtcp_tap_open(name, flags)
    if first == invalid, queues == 1 {
      flags |= VTCP_TAP_MULTI_QUEUE
      first = vtcp_tap_open(name, flags)
    }
    var result = [OwnedDescriptor(try SystemCalls.check("open the TAP \(name)", first))]
    while result.count < queues {
      result.append(OwnedDescriptor(try SystemCalls.check("open the TAP \(name)", vtcp_tap_open(name, flags))))
    }
    for queue in result {
      try SystemCalls.check("TUNSETVNETHDRSZ", vtcp_bench_tap_header(queue.rawValue, 12))
      try SystemCalls.check("TUNSETOFFLOAD", vtcp_tap_set_offloads(queue.rawValue, offloads(features)))
    }
    return result
  }

  /// TUN_F_* of what the device completes (VIRTIO_NET_F_CSUM, _HOST_*).
  private static func offloads(_ features: VirtioFeatures) -> UInt32 {
    var result: UInt32 = 0
    if features.contains(.checksum) { result |= 0x01 }
    if features.contains(.hostTSO4) { result |= 0x02 }
    if features.contains(.hostTSO6) { result |= 0x04 }
    if features.contains(.hostECN) { result |= 0x08 }
    if features.contains(.hostUSO) { result |= 0x60 }
    return result
  }
}
