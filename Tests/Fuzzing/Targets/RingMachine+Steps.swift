// SPDX-License-Identifier: Apache-2.0

import Datapath
import FrameSupport
import Memory
import Virtio
import Wire

/// The steps of an input, numbered in `RingTarget`.
extension RingMachine {
  /// Addresses that nothing should lie at.
  private static let oddities: [UInt64] = [
    0, .max, .max - 1, .max - 0xffff, 1 << 63, GuestStage.guestAddress - 1,
    GuestStage.guestAddress + UInt64(GuestStage.guestBytes) - 1,
    GuestStage.guestAddress + UInt64(GuestStage.guestBytes),
    GuestStage.guestAddress + 0xffff, GuestStage.userAddress,
  ]
  private static let header = ByteRegion.allocate(count: VirtioNetHeader.length)

  private struct Entry {
    let address: UInt64
    let length: UInt32
    let flags: UInt16
    let next: UInt16

    init(_ input: inout InputReader) {
      let place = input.u16()
      address =
        place < 0xff00
        ? GuestStage.guestAddress + UInt64(place) * 2
        : RingMachine.oddities[Int(place & 0xff) % RingMachine.oddities.count]
      let octets = input.u16()
      // Lengths of which a sum or an end wraps.
      length = octets < 0xfff0 ? UInt32(octets) : 0xffff_fff0 | UInt32(octets & 15)
      flags = UInt16(input.byte())
      next = UInt16(input.byte())
    }
  }

  func step(_ input: inout InputReader) throws {
    switch input.byte() & 15 {
    case 0: writeDescriptor(&input)
    case 1: writeTable(&input)
    case 2: writeOctets(&input)
    case 3: makeAvailable(&input)
    case 4: setAvailable(&input)
    case 5:
      kick(Int(input.byte() & 1))
      try turn(2)
    case 6: try turn(1, later: Int64(input.byte()) * 8)
    case 7: try frameArrives(&input)
    case 8: addFlip(&input)
    case 9: try restart(&input)
    case 10:
      let octet = input.byte()
      nic.setEnabled(vring: Int(octet & 1), octet & 2 != 0)
    case 11: try moveMemory()
    case 12:
      try network.take(Int(input.byte()))
      nic.ready(.uplink(0))
    case 13: try sleepAndWake()
    case 14: writeFrame(&input)
    default: setEvent(&input)
    }
  }

  private func area(_ queue: Int) -> Int { queue * GuestStage.queueBytes }

  /// What the driver writes into the device's own area makes that worthless as a proof.
  private func muddle(_ place: Int, _ count: Int) {
    for queue in 0..<2 {
      let device = area(queue) + GuestStage.deviceArea
      if place < device + 0x1000, place + count > device { watch.muddle(device..<device + 1) }
    }
  }

  private func store(_ entry: Entry, flags: UInt16, at offset: Int) {
    let place = GuestStage.place(offset)
    stage.store(entry.address, at: place)
    stage.store(entry.length, at: place + 8)
    stage.store(format == .split ? flags : entry.next, at: place + 12)
    stage.store(format == .split ? entry.next : flags, at: place + 14)
  }

  private func writeDescriptor(_ input: inout InputReader) {
    let octet = input.byte()
    let entry = Entry(&input)
    let flags = format == .split ? entry.flags : entry.flags & 7 | (entry.flags & 8) << 4 | (entry.flags & 16) << 11
    store(entry, flags: flags, at: area(Int(octet & 1)) + 16 * Int(octet >> 1))
  }

  private func writeTable(_ input: inout InputReader) {
    let offset = Int(input.u16()) * 2 / 16 * 16
    muddle(GuestStage.place(offset), 16)
    let entry = Entry(&input)
    store(entry, flags: entry.flags, at: offset)
  }

  private func writeOctets(_ input: inout InputReader) {
    let offset = Int(input.u16()) * 2
    let octets = input.bytes(Int(input.byte()))
    muddle(GuestStage.place(offset), octets.count)
    stage.write(octets, at: offset)
  }

  private func makeAvailable(_ input: inout InputReader) {
    let octet = input.byte()
    let queue = Int(octet & 1)
    let size = max(watch.queues[queue].size, 1)
    let driver = area(queue) + GuestStage.driverArea
    guard format == .packed else {
      stage.store(UInt16(input.byte()), at: driver + 4 + 2 * (next[queue] % size))
      next[queue] = (next[queue] + 1) & 0xffff
      stage.store(UInt16(next[queue]), at: driver + 2)
      return
    }
    let entry = Entry(&input)
    let lap: UInt16 = wrap[queue] ? 0x80 : 0x8000
    store(entry, flags: entry.flags & 7 | lap, at: area(queue) + 16 * (next[queue] % size))
    next[queue] += 1
    guard next[queue] >= size else { return }
    next[queue] = 0
    wrap[queue].toggle()
  }

  private func setAvailable(_ input: inout InputReader) {
    let queue = Int(input.byte() & 1)
    let number = input.u16()
    guard format == .packed else {
      next[queue] = Int(number)
      return stage.store(number, at: area(queue) + GuestStage.driverArea + 2)
    }
    next[queue] = Int(number & 0x7fff) % max(watch.queues[queue].size, 1)
    wrap[queue] = number & 0x8000 != 0
  }

  private func frameArrives(_ input: inout InputReader) throws {
    let header = input.bytes(VirtioNetHeader.length)
    let length = Int(input.u16())
    network.send(header, length: length, pattern: input.byte())
    nic.ready(.uplink(0))
    try turn(1)
  }

  private func addFlip(_ input: inout InputReader) {
    let countdown = Int(input.byte())
    let offset = Int(input.byte())
    let target: ReadWatch.Flip.Target =
      offset < 0x80 ? .read(offset: offset) : .place(GuestStage.place(Int(input.u16()) * 2))
    let bits = input.byte()
    guard watch.flips.count < 64 else { return }
    watch.flips.append(ReadWatch.Flip(countdown: countdown, target: target, bits: bits))
  }

  private func restart(_ input: inout InputReader) throws {
    let queue = Int(input.byte() & 1)
    let how = input.byte()
    let size = Self.size(input.byte(), format)
    let said = input.u32()
    let previous = watch.queues[queue].size
    if how & 1 != 0 { abandon(queue) }
    let base = try stop(queue)
    if how & 2 != 0 { nic.forget(vring: queue) }
    if how & 4 != 0 { return }
    try start(queue, size: how & 8 != 0 ? size : previous, base: how & 16 != 0 ? said : base)
  }

  /// A transmit buffer's contents: a frame of that shape behind a header that asks for what it can have.
  private func writeFrame(_ input: inout InputReader) {
    let offset = Int(input.u16()) * 2
    let shape = input.byte()
    var frame = FrameSpecification()
    frame.ipVersion = shape & 1 == 0 ? 4 : 6
    frame.transport = shape & 2 == 0 ? .tcp : .udp
    if shape & 4 != 0 { frame.vlanTags = [0x8100] }
    if shape & 8 != 0 { frame.extensionHeaders = [.destinationOptions(units: 1 + Int(input.byte() & 31))] }
    frame.payload = [UInt8](repeating: input.byte(), count: Int(input.u16()) & 0x3fff)
    var header = VirtioNetHeader()
    if shape & 16 != 0 { header.flags = .needsChecksum }
    if shape & 32 != 0 {
      header.rawGSOType = frame.transport == .udp ? 5 : frame.ipVersion == 4 ? 1 : 4
      header.gsoSize = UInt16(input.byte()) << 3
    }
    header.checksumStart = UInt16(frame.transportOffset)
    header.checksumOffset = UInt16(frame.checksumOffset)
    header.encode(into: Self.header)
    let octets = Self.header.bytes + (shape & 64 != 0 ? [] : [0, 0]) + frame.encode()
    let region = ByteRegion.allocate(count: octets.count)
    defer { region.deallocate() }
    region.copy(from: octets)
    muddle(GuestStage.place(offset), octets.count)
    // A frame of the network instead of the guest's.
    if shape & 128 != 0 { return network.send(region) }
    stage.write(region, at: offset)
  }

  private func setEvent(_ input: inout InputReader) {
    let queue = Int(input.byte() & 1)
    let number = input.u16()
    let driver = area(queue) + GuestStage.driverArea
    stage.store(number, at: format == .split ? driver + 4 + 2 * watch.queues[queue].size : driver)
    stage.store(UInt16(input.byte()), at: format == .split ? driver : driver + 2)
  }
}
