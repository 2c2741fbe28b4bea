// SPDX-License-Identifier: Apache-2.0

/// What `LibvirtHook` has to know of the host.
public protocol HookHost {
  /// Where our NICs' sockets are, an absolute path.
  var folder: String { get }
  /// Of a NIC, at most.
  var mostQueues: Int { get }
  /// Why no NIC can be called so, in a sentence; nil: one can.
  func objection(name: String) -> String?
  /// Why a NIC can't have the policy that the domain asks for it, in a sentence; nil: it can.
  func objection(policy binding: NICBinding) -> String?
  /// The running domain that has the NIC of that name; nil: none, or there is no such NIC.
  func owner(_ nic: String) -> HookOwner?
}
