// SPDX-License-Identifier: Apache-2.0

/// A moment at which libvirt calls (libvirt.org/hooks.html, "/etc/libvirt/hooks/qemu"), in the order of a domain's life.
public enum HookOperation: String, CaseIterable, Sendable {
  /// Before anything is made for a start. The first that can refuse it, and the only one at which nothing is lost by that.
  case prepare
  /// Before QEMU is started; aliases are known.
  case start
  /// QEMU runs.
  case started
  /// QEMU has ended.
  case stopped
  /// All is given back.
  case release
  /// A domain arrives from another host. A filter: what is written to standard output takes the XML's place.
  case migrate
  /// A domain comes from a file. A filter, too.
  case restore
  /// libvirtd was started anew, and has found the domain running. An exit status that is not 0 **ends the domain**.
  case reconnect
  /// libvirtd takes over a QEMU that somebody else has started.
  case attach

  /// Whether vtcpd has anything to do then. A filter that prints nothing leaves the XML as it is; what has stopped is released next.
  public var concernsService: Bool { self != .stopped && self != .migrate && self != .restore }

  /// Whether a status of 1 refuses a start, rather than do harm (`reconnect`) or nothing.
  public var canRefuse: Bool { self == .prepare || self == .start }
}
