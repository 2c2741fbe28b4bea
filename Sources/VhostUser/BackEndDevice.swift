// SPDX-License-Identifier: Apache-2.0

public import Polling
public import Virtio

/// What a back-end does its work for: the device behind the virtqueues.
///
/// Called on the thread that handles messages, between two turns of the datapath, never during one.
public protocol BackEndDevice: AnyObject {
  /// The driver's features are known (or none: the device was reset).
  func negotiated(_ features: VirtioFeatures)

  /// A vring may be served from now on. `kick`: becomes readable when the driver makes something available; nil: the
  /// driver does not tell, look yourself.
  func start(vring index: Int, _ setup: QueueSetup, kick: OwnedDescriptor?) throws(SystemError)

  /// The vring is not touched any more when this returns; everything taken from it is done or back in it.
  /// Returns its base (`VHOST_USER_GET_VRING_BASE`).
  func stop(vring index: Int) -> UInt32

  /// As `stop`, but the vring's memory is gone or no longer ours: nothing is given back.
  func abandon(vring index: Int)

  /// The vring's areas lie elsewhere now; contents and indices are the same.
  func move(vring index: Int, to setup: QueueSetup)

  /// The driver starts anew: nothing of a vring's past is to be resumed.
  func forget(vring index: Int)

  /// An enabled vring is served; a running but disabled one is drained if it transmits and left alone if it receives.
  func setEnabled(vring index: Int, _ isEnabled: Bool)

  /// A running vring's kick comes from another descriptor from now on; nil as in `start`.
  func setKick(vring index: Int, _ kick: OwnedDescriptor?) throws(SystemError)

  /// Signalled when used buffers wait for the driver; nil: the driver looks itself.
  func setCall(vring index: Int, _ call: OwnedDescriptor?)

  /// A vring is broken; only a reset by its driver helps (`DEVICE_NEEDS_RESET`).
  var needsReset: Bool { get }

  /// Signalled when the vring is broken.
  func setError(vring index: Int, _ error: OwnedDescriptor?)

  /// Signalled after pages were marked in the dirty log; nil: the front-end looks itself.
  func setLogCall(_ call: OwnedDescriptor?)

  /// Guest memory changes: everything taken from any vring goes back, no address is kept.
  func memoryWillChange()

  /// What the device has besides guest memory and rings, which all are stopped.
  func saveState() -> DeviceState

  /// Why this device can't go on with the state, in one sentence; nil: it can.
  func refusal(of state: DeviceState) -> String?

  /// Goes on with a state that was not refused; a ring has started.
  func restore(_ state: DeviceState)

  /// Whether frames with `mtu` bytes behind the Ethernet header can be carried.
  func accepts(mtu: Int) -> Bool

  /// Tells the network where the guest with this MAC address is now (`VHOST_USER_SEND_RARP`), six bytes in order.
  func announce(macAddress: UInt64)
}
