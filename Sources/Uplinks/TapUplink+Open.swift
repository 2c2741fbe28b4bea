// SPDX-License-Identifier: Apache-2.0

import CLinux
import Polling

extension TapUplink {
  /// The kernel's MAX_TAP_QUEUES.
  private static let maximumQueues = 256

  /// Creates or attaches to the TAP `name`, sets it up, and sets its MTU when one is given.
  static func open(name: String, queuePairs: Int, mtu: Int?) throws(UplinkError) -> TapUplink {
    let count = min(max(queuePairs, 1), maximumQueues)
    var multiQueue = count > 1
    var first = vtcp_tap_open(name, flags(multiQueue: multiQueue))
    if Int(first) == ErrorNumber.invalid {
      // An interface that exists keeps its multi-queue flag, and takes only descriptors with the same.
      first = vtcp_tap_open(name, flags(multiQueue: !multiQueue))
      guard first < 0 || count == 1 else {
        _ = vtcp_close(first)
        throw UplinkError(
          "The TAP \(name) has one queue but \(count) are wanted: make it anew with 'ip tuntap add \(name) mode tap "
            + "multi_queue vnet_hdr', or use --queues 1.")
      }
      multiQueue.toggle()
    }
    var descriptors = [OwnedDescriptor(try opened(first, name))]
    while descriptors.count < count {
      descriptors.append(OwnedDescriptor(try opened(vtcp_tap_open(name, flags(multiQueue: multiQueue)), name)))
    }
    for descriptor in descriptors {
      try require("prepare the TAP \(name)", vtcp_tap_prepare_header(descriptor.rawValue))
    }
    do throws(SystemError) {
      let link = try Link(name)
      if let mtu { try link.setMTU(mtu) }
      try link.setUp()
      return TapUplink(label: "tap:\(name)", link: link, kind: .file, hasHeader: true, descriptors: descriptors)
    } catch {
      throw UplinkError("Cannot \(error).")
    }
  }

  /// Goes on with the queues of the TAP `name` that another process opened and set up; nil: they are something else.
  static func resume(
    name: String, queuePairs: Int, descriptors: [OwnedDescriptor]
  ) throws(UplinkError) -> TapUplink? {
    let count = min(max(queuePairs, 1), maximumQueues)
    guard descriptors.count == count else { return nil }
    for descriptor in descriptors {
      // That process may have left some without frames; of one that has them it is no mistake.
      _ = vtcp_tap_attach_queue(descriptor.rawValue, 1)
      guard let tap = SystemCalls.tapFlags(descriptor.rawValue), tap.name == name,
        tap.flags & VTCP_TAP_IS_TAP != 0, tap.flags & VTCP_TAP_VNET_HEADER != 0, tap.flags & noPacketInformation != 0
      else { return nil }
      EventDescriptor.setNonBlocking(descriptor.rawValue)
    }
    guard let link = try? Link(name) else { return nil }
    return TapUplink(label: "tap:\(name)", link: link, kind: .file, hasHeader: true, descriptors: descriptors)
  }

  /// Takes over an open TAP or unix socket. Whoever opened a TAP has set its MTU and sets it up.
  static func open(descriptor: OwnedDescriptor) throws(UplinkError) -> TapUplink {
    let number = descriptor.rawValue
    if let tap = SystemCalls.tapFlags(number) { return try open(tap: descriptor, flags: tap.flags, name: tap.name) }
    let type = vtcp_unix_type(number)
    guard type == UnixSocket.PairType.datagram.rawValue || type == UnixSocket.PairType.sequencedPacket.rawValue else {
      throw UplinkError("Descriptor \(number) is neither a TAP nor a unix socket of datagrams or sequenced packets.")
    }
    EventDescriptor.setNonBlocking(number)
    return TapUplink(
      label: "fd:\(number)", link: nil, kind: .datagrams, hasHeader: true,
      emptyMeansClosed: type == UnixSocket.PairType.sequencedPacket.rawValue, descriptors: [descriptor])
  }

  private static func open(
    tap descriptor: OwnedDescriptor, flags: Int32, name: String
  ) throws(UplinkError) -> TapUplink {
    let number = descriptor.rawValue
    guard flags & VTCP_TAP_IS_TAP != 0 else {
      throw UplinkError("Descriptor \(number) is the TUN \(name), which has no Ethernet frames: open a TAP instead.")
    }
    guard flags & noPacketInformation != 0 else {
      throw UplinkError("Descriptor \(number) is the TAP \(name) with packet information: open it with IFF_NO_PI.")
    }
    EventDescriptor.setNonBlocking(number)
    let hasHeader = flags & VTCP_TAP_VNET_HEADER != 0
    if hasHeader { try require("prepare the TAP \(name)", vtcp_tap_prepare_header(number)) }
    if !hasHeader { _ = vtcp_tap_set_offloads(number, 0) }
    let link: Link
    do throws(SystemError) { link = try Link(name) } catch { throw UplinkError("Cannot \(error).") }
    return TapUplink(
      label: "fd:\(number) (\(name))", link: link, kind: .file, hasHeader: hasHeader,
      descriptors: [descriptor])
  }

  /// IFF_NO_PI
  private static var noPacketInformation: Int32 { 0x1000 }

  private static func flags(multiQueue: Bool) -> Int32 {
    VTCP_TAP_VNET_HEADER | (multiQueue ? VTCP_TAP_MULTI_QUEUE : 0)
  }

  private static func opened(_ result: Int32, _ name: String) throws(UplinkError) -> Int32 {
    switch Int(result) {
    case 0...: return result
    case ErrorNumber.notPermitted, ErrorNumber.accessDenied:
      throw UplinkError(
        "The TAP \(name) needs CAP_NET_ADMIN, or an interface made for this user: "
          + "'ip tuntap add \(name) mode tap user USER vnet_hdr'.")
    case ErrorNumber.busy:
      throw UplinkError("The TAP \(name) is in use by another program.")
    case ErrorNumber.invalid:
      throw UplinkError("The interface \(name) exists and is not a TAP: choose another name.")
    case ErrorNumber.noEntry, ErrorNumber.noSuchDevice, ErrorNumber.noDevice:
      throw UplinkError("The kernel has no TUN/TAP driver: load it with 'modprobe tun'.")
    default:
      throw UplinkError("\(SystemError(call: "Open the TAP \(name)", code: -result)).")
    }
  }

  private static func require(_ call: @autoclosure () -> String, _ result: Int32) throws(UplinkError) {
    guard result < 0 else { return }
    throw UplinkError("Cannot \(SystemError(call: call(), code: -result)).")
  }
}
