// SPDX-License-Identifier: Apache-2.0

import Memory
import Polling
import Virtio

/// The requests about single vrings.
extension BackEnd {
  /// Largest size of a virtqueue (virtio 1.3, 2.7 and 2.8.10.1).
  private static let maximumSize: UInt32 = 32768

  private func checked(_ index: Int) throws(RequestError) -> Int {
    guard vrings.indices.contains(index) else { throw .noSuchVring(index) }
    return index
  }

  private func checkedStopped(_ index: Int) throws(RequestError) -> Int {
    guard try !vrings[checked(index)].isRunning else { throw .vringIsRunning(index) }
    return index
  }

  func setVringSize(_ message: Message) throws(RequestError) {
    guard let state = message.vringState else { throw .malformedPayload }
    let index = try checkedStopped(state.index)
    guard (1...Self.maximumSize).contains(state.number) else {
      throw .refused("a vring can't have \(state.number) entries")
    }
    vrings[index].size = UInt16(state.number)
  }

  func setVringBase(_ message: Message) throws(RequestError) {
    guard let state = message.vringState else { throw .malformedPayload }
    vrings[try checkedStopped(state.index)].base = state.number
  }

  /// A running vring may be moved: front-ends repeat this request to switch the logging of its used ring.
  func setVringAddresses(_ message: Message) throws(RequestError) {
    guard let addresses = VringAddresses(decoding: message.payload) else { throw .malformedPayload }
    let index = try checked(addresses.index)
    guard vrings[index].isRunning else {
      vrings[index].addresses = addresses
      return
    }
    let previous = vrings[index].addresses
    vrings[index].addresses = addresses
    do throws(RequestError) {
      let setup = try setup(of: index)
      device.memoryWillChange()
      device.move(vring: index, to: setup)
    } catch {
      vrings[index].addresses = previous
      throw error
    }
  }

  /// Starts the vring: the specification lets a ring start at its first kick, and something may be available already.
  /// A running vring gets another kick descriptor instead of the one it has.
  func setVringKick(_ message: inout Message) throws(RequestError) {
    let (index, kick) = try vringDescriptor(&message)
    let setup = try setup(of: index)
    do throws(SystemError) {
      guard !vrings[index].isRunning else {
        try device.setKick(vring: index, kick)
        return keepKick(index, kick)
      }
      try device.start(vring: index, setup, kick: kick)
    } catch {
      throw .system(error)
    }
    vrings[index].isRunning = true
    vrings[index].isDraining = false
    keepKick(index, kick)
    restoreParkedState()
    // Without VHOST_USER_F_PROTOCOL_FEATURES a ring is enabled as soon as it runs.
    if !features.contains(.protocolFeatures) { enable(index, true) }
  }

  func setVringCall(_ message: inout Message) throws(RequestError) {
    let (index, call) = try vringDescriptor(&message)
    device.setCall(vring: index, call)
    vrings[index].hasCall = call != nil
    keeper?.keep(call, as: SessionName.call(index))
  }

  func setVringError(_ message: inout Message) throws(RequestError) {
    let (index, error) = try vringDescriptor(&message)
    device.setError(vring: index, error)
    vrings[index].hasError = error != nil
    keeper?.keep(error, as: SessionName.error(index))
  }

  func setVringEnable(_ message: Message) throws(RequestError) {
    guard let state = message.vringState else { throw .malformedPayload }
    guard state.number <= 1 else { throw .refused("a vring is enabled by 1 or disabled by 0, not \(state.number)") }
    enable(try checked(state.index), state.number == 1)
  }

  func enable(_ index: Int, _ isEnabled: Bool) {
    if vrings[index].isEnabled != isEnabled { vrings[index].isDraining = !isEnabled && vrings[index].isRunning }
    vrings[index].isEnabled = isEnabled
    device.setEnabled(vring: index, isEnabled)
  }

  /// A vring that does not run, or does not exist, answers too: the front-end waits for the reply.
  func getVringBase(_ message: Message) throws(RequestError) -> [UInt8] {
    guard let state = message.vringState else { throw .malformedPayload }
    guard vrings.indices.contains(state.index) else {
      log.warning("the front-end asks for the base of vring \(state.index), which does not exist")
      return UInt32(truncatingIfNeeded: state.index).littleEndianBytes + UInt32(0).littleEndianBytes
    }
    if vrings[state.index].isRunning { vrings[state.index].base = stopVring(state.index) }
    return UInt32(state.index).littleEndianBytes + vrings[state.index].base.littleEndianBytes
  }

  func stopVring(_ index: Int) -> UInt32 {
    hasStopped(index)
    return device.stop(vring: index)
  }

  /// A vring that does not run has no kick descriptor, and nothing to drain.
  func hasStopped(_ index: Int) {
    vrings[index].isRunning = false
    vrings[index].isDraining = false
    keepKick(index, nil)
  }

  private func keepKick(_ index: Int, _ kick: OwnedDescriptor?) {
    vrings[index].hasKick = kick != nil
    keeper?.keep(kick, as: SessionName.kick(index))
  }

  /// The payload of the three requests that bring a descriptor: the vring's index in 8 bits, bit 8 = there is none.
  private func vringDescriptor(_ message: inout Message) throws(RequestError) -> (Int, OwnedDescriptor?) {
    guard let value = message.u64 else { throw .malformedPayload }
    let index = try checked(Int(value & 0xff))
    guard value & ~0x1ff == 0 else { throw .malformedPayload }
    guard value & 0x100 == 0 else { return (index, nil) }
    guard let descriptor = message.descriptors.popLast() else { throw .missingDescriptor }
    guard EventDescriptor.isNotifier(descriptor.rawValue), EventDescriptor.setNonBlocking(descriptor.rawValue) else {
      throw .refused("its file descriptor is neither an eventfd nor a pipe or socket")
    }
    return (index, descriptor)
  }

  /// Everything that a vring needs to run, checked.
  func setup(of index: Int) throws(RequestError) -> QueueSetup {
    let vring = vrings[index]
    guard vring.size > 0 else { throw .refused("the size of vring \(index) was not set") }
    guard let addresses = vring.addresses else { throw .refused("the addresses of vring \(index) were not set") }
    let format: RingFormat = features.contains(.packedRing) ? .packed : .split
    if format == .split, vring.size & (vring.size - 1) != 0 {
      throw .refused("a split vring of \(vring.size) entries: not a power of two")
    }
    let base = format == .packed ? Self.packedBase(vring.base) : vring.base
    if format == .packed {
      let available = base & 0x7fff
      let used = base >> 16 & 0x7fff
      guard available < vring.size, used < vring.size else {
        throw .refused("the base \(hex: UInt64(vring.base)) lies outside vring \(index)")
      }
    }
    guard
      let areas = RingAreas(
        format: format, size: Int(vring.size), descriptorAddress: addresses.descriptors,
        driverAddress: addresses.driver, deviceAddress: addresses.device, memory: memory)
    else { throw .refused("vring \(index) is misaligned or not wholly inside one region of guest memory") }
    return QueueSetup(
      format: format, size: vring.size, areas: areas, descriptorAddress: addresses.descriptors,
      eventIndex: features.contains(.eventIndex), notifyOnEmpty: features.contains(.notifyOnEmpty), base: base,
      usedLogAddress: addresses.log, goesOn: isResuming)
  }

  /// A front-end that knows of one position in a packed ring leaves the upper half of the base 0, where the used position and
  /// its lap belong (DPDK's virtio-user starts with 0x8000). Nothing is in flight when a ring starts: the used position is the same.
  private static func packedBase(_ base: UInt32) -> UInt32 {
    base >> 16 == 0 ? base | base << 16 : base
  }
}
