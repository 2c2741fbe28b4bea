// SPDX-License-Identifier: Apache-2.0

import Memory
public import Polling
import Uplinks
import VTCP
public import VhostUser
public import Virtio
import Wire

/// What the front-end says of the queues. All of it happens between two turns.
extension VirtualNIC: BackEndDevice {
  public func negotiated(_ features: VirtioFeatures) {
    self.features = features
    // The front-end, or the device, is no more.
    if features == [] { module?.guestGone() }
    configurePaths()
  }

  public func start(vring index: Int, _ setup: QueueSetup, kick: OwnedDescriptor?) throws(SystemError) {
    let end = ends[index]
    if let kick { try poller.add(kick.rawValue, [.readable, .edgeTriggered], token: Event.kick(index).token) }
    if end.start(setup, kick: kick) {
      log.info("queue \(index) goes on where the process before this one stopped")
    }
    // What a process before us made visible may not have been told.
    if let call = end.call { EventDescriptor.signal(call.rawValue) }
    log.debug("queue \(index) runs: \(setup.format), \(setup.size) entries")
    if index == NetworkQueues.receive(pair: 0) { announcer.guestCame() }
    configurePaths()
  }

  public func setKick(vring index: Int, _ kick: OwnedDescriptor?) throws(SystemError) {
    let end = ends[index]
    if let kick { try poller.add(kick.rawValue, [.readable, .edgeTriggered], token: Event.kick(index).token) }
    if let previous = end.kick { poller.remove(previous.rawValue) }
    end.kick = kick
    end.isPolled = kick == nil
    end.isReady = true
    configurePaths()
  }

  public func stop(vring index: Int) -> UInt32 {
    let end = ends[index]
    end.publishIfDue()
    end.notifyIfDue()
    let base = end.queue.stop(returning: &end.chains)
    halt(end)
    return base
  }

  public func abandon(vring index: Int) {
    ends[index].queue.abandon()
    halt(ends[index])
  }

  private func halt(_ end: QueueEnd) {
    if let kick = end.kick { poller.remove(kick.rawValue) }
    end.halt()
    configurePaths()
  }

  public func move(vring index: Int, to setup: QueueSetup) {
    ends[index].queue.move(to: setup)
    ends[index].isReady = true
  }

  public func forget(vring index: Int) { ends[index].queue.forget() }

  public func setEnabled(vring index: Int, _ isEnabled: Bool) {
    let end = ends[index]
    guard end.isEnabled != isEnabled else { return }
    end.isEnabled = isEnabled
    end.isDraining = !isEnabled && end.isRunning
    end.isReady = end.isRunning
    configurePaths()
  }

  public func setCall(vring index: Int, _ call: OwnedDescriptor?) {
    ends[index].call = call
    // What was completed while there was no descriptor, or another one, is told by the new one.
    if let call, ends[index].isRunning { EventDescriptor.signal(call.rawValue) }
  }

  public var needsReset: Bool { ends.contains { $0.isRunning && $0.queue.fault != nil } }

  public func setError(vring index: Int, _ error: OwnedDescriptor?) {
    ends[index].error = error
    // A front-end that sets it late is to hear of it too.
    if let error, ends[index].faultTold { EventDescriptor.signal(error.rawValue) }
  }

  public func setLogCall(_ call: OwnedDescriptor?) { logCall = call }

  public func memoryWillChange() {
    for end in ends where end.isRunning {
      end.publishIfDue()
      end.notifyIfDue()
      end.queue.rewind(&end.chains)
    }
  }

  /// An administrator's limit rules; without one a TAP is given the MTU that is asked for, and another interface must
  /// carry it as it is.
  public func accepts(mtu: Int) -> Bool {
    if let limit = configuration.mtu { return mtu <= limit }
    guard let carried = uplink.mtu else { return true }
    guard mtu > carried else { return true }
    do throws(SystemError) {
      try uplink.setMTU(mtu)
      return true
    } catch {
      // The right to do so is given up before a front-end is served.
      log.warning("\(error); start vtcp-nic with --mtu \(mtu) to have it set before")
      return false
    }
  }

  public func announce(macAddress: UInt64) {
    // Six bytes in order, the first lowest.
    let region = ByteRegion.allocate(count: ReverseARP.length + 8)
    defer { region.deallocate() }
    region.store(macAddress.littleEndian, at: ReverseARP.length)
    let address = MACAddress(decoding: region, at: ReverseARP.length)
    let frame = region.slice(from: 0, count: ReverseARP.length)
    ReverseARP.encodeRequest(of: address, into: frame)
    if !send(frame) { log.warning("the network did not take the announcement of \(address)") }
  }
}
