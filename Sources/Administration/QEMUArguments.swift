// SPDX-License-Identifier: Apache-2.0

/// The words with which QEMU is started for a guest that has a NIC of ours.
public struct QEMUArguments: Sendable {
  /// As `-m` has it.
  public let memory: String
  public var socketPath = ""
  public var queuePairs = 1
  public var macAddress: String?

  public init(memory: String) { self.memory = memory }

  /// Memory that can be shared, the socket, to which QEMU comes back when it is closed, and the device.
  public func words() throws(AdministrationError) -> [String] {
    guard memory.last?.isLetter == true || Int(memory) != nil, !memory.isEmpty,
      memory.utf8.allSatisfy({ (0x30...0x39).contains($0) || "kKmMgGtT".utf8.contains($0) })
    else { throw .usage("--memory is a size as QEMU's -m has it, as 2G, not '\(memory)'") }
    guard (1...64).contains(queuePairs) else { throw .usage("--queues is a number from 1 to 64, not \(queuePairs)") }
    // The shell takes the words apart where there are spaces, QEMU at commas.
    guard !socketPath.isEmpty, socketPath.utf8.count <= 107,
      !socketPath.contains(where: { $0.isWhitespace || "\"'\\$`*?[".contains($0) })
    else {
      throw .usage(
        "the socket's path '\(socketPath)' can't be given to QEMU so; it has up to 107 octets, and no spaces")
    }
    // A bare number is MiB to -m, and octets to an object.
    let size = Int(memory) == nil ? memory : memory + "M"
    let path = socketPath.replacing(",", with: ",,")
    var netdev = "vhost-user,id=vtcp0,chardev=vtcp0"
    var device = "virtio-net-pci,netdev=vtcp0,rx_queue_size=1024,tx_queue_size=1024"
    if queuePairs > 1 {
      netdev += ",queues=\(queuePairs)"
      // One for each virtqueue, one for the control queue, and one for changes of configuration.
      device += ",mq=on,vectors=\(2 * queuePairs + 2)"
    }
    if let macAddress {
      guard macAddress.utf8.count == 17, macAddress.utf8.allSatisfy({ "0123456789abcdefABCDEF:".utf8.contains($0) })
      else { throw .usage("--mac is an address as 52:54:00:12:34:56, not '\(macAddress)'") }
      device += ",mac=\(macAddress)"
    }
    return [
      "-m", size, "-object", "memory-backend-memfd,id=mem0,size=\(size),share=on", "-machine", "memory-backend=mem0",
      "-chardev", "socket,id=vtcp0,path=\(path),reconnect=1", "-netdev", netdev, "-device", device,
    ]
  }
}
