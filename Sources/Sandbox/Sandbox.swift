// SPDX-License-Identifier: Apache-2.0

import CSandbox
public import Polling

/// Takes from this process, for good, what it needs no more once everything is open.
///
/// ## Theory of Operation
///
/// `closeInherited` comes first of all: a descriptor that somebody left open, of a directory say, would be a hole.
/// `enter` comes last, before the first byte of a front-end is read, and does in this order, since each step needs what
/// a later one takes away:
///
/// 1. limits: no core file, 4096 descriptors;
/// 2. the bounding set of capabilities is emptied and the ways to get any back are locked (libcap-ng);
/// 3. an empty root: a mount namespace, with the socket's directory, if there is one, as the working directory;
/// 4. the other user and group, no supplementary groups;
/// 5. no capability;
/// 6. if 3 was refused, it is tried again in a user namespace, which every user may have; if that is refused too,
///    Landlock forbids every file;
/// 7. no-new-privileges; if we were root, no tracing by the same user;
/// 8. the filter of system calls (CSandbox/calls.h).
///
/// One thread: capabilities and filters are a thread's own, so others must not be there yet.
public struct Sandbox {
  /// What to do about that which the kernel refuses.
  public enum Mode: String, Sendable {
    /// Go without, and say so.
    case auto
    /// End.
    case on
    /// Nothing is taken but the user, if one is named. For debuggers.
    case off
  }

  /// What happens at a system call that is not on the list.
  public enum Filter: String, Sendable {
    /// The process ends with SIGSYS.
    case kill
    /// The kernel logs it (audit type 1326). For development.
    case log
    case off
  }

  /// How the host's files went out of sight.
  private enum View {
    case emptyRoot
    case landlock
    case everything(why: String)
  }

  private static let descriptorLimit: UInt64 = 4096

  private let mode: Mode
  private let filter: Filter
  private let identity: Identity?
  private let use: SocketUse
  private let acceptsControl: Bool
  private let log: Log
  private let wasRoot = Process.isRoot
  private let identityAtStart = Identity.current
  private var hasBoundingSet = false
  private var hasEmptyRoot = false

  /// - Parameter acceptsControl: whether there is another socket, of an administrator, to accept from.
  public init(
    mode: Mode, filter: Filter, identity: Identity?, use: SocketUse, acceptsControl: Bool, log: Log
  ) {
    self.mode = mode
    self.filter = filter
    self.identity = identity
    self.use = use
    self.acceptsControl = acceptsControl
    self.log = log
  }

  /// Closes what was inherited and is not in `kept`.
  public static func closeInherited(except kept: [Int32]) throws(SandboxError) {
    let kept = kept.sorted()
    try require("close inherited descriptors", vtcp_close_inherited(kept, kept.count))
  }

  /// Does it. Afterwards the socket's path, if there is one, is to be called by the name returned.
  public mutating func enter() throws(SandboxError) -> String? {
    guard mode != .off else {
      try changeIdentity()
      try noNewPrivileges()
      log.warning("not confined: --sandbox=off")
      return use.path
    }
    if let directory = use.directory, vtcp_is_directory(directory) < 0 {
      throw SandboxError("the directory \(directory) must exist: nothing else of the file system stays in view")
    }
    try Self.require("limit resources", vtcp_limit_resources(Self.descriptorLimit))
    let view = try takeFiles()
    try noNewPrivileges()
    let seen = try settle(view)
    // Who may start it may debug it; but a user who is shared by several NICs must not reach one from another.
    try Self.require("forbid tracing", vtcp_allow_tracing(wasRoot ? 0 : 1))
    let calls = try installFilter()
    let identity = identity ?? identityAtStart
    let capabilities = "no capabilities\(hasBoundingSet ? " (their bounding set stays)" : "")"
    log.info("confined: user \(identity.user), group \(identity.group), \(capabilities); \(seen); \(calls)")
    if case .emptyRoot = view {
      hasEmptyRoot = true
      return use.name
    }
    return use.path
  }

  /// After `enter`: by what name another file in the directory of the socket that we listen at can be called; nil: of other files
  /// nothing is in view, or they can't be removed.
  public func reachable(_ path: String) -> String? {
    guard case .listens = use else { return mode == .off ? path : nil }
    let other = SocketUse.listens(path: path)
    guard mode != .off, hasEmptyRoot else { return path }
    return other.directory == use.directory ? other.name : nil
  }

  /// Steps 2 to 6 but Landlock. `everything` means that Landlock is to be tried.
  private mutating func takeFiles() throws(SandboxError) -> View {
    hasBoundingSet = vtcp_lock_capabilities() < 0
    var result = vtcp_enter_empty_view(use.directory, viewFlags)
    try changeIdentity()
    try clearCapabilities()
    if result < 0 {
      result = vtcp_enter_empty_view(use.directory, viewFlags | VTCP_VIEW_USER_NAMESPACE)
      // A new user namespace begins with all capabilities in it.
      if result == 0 { hasBoundingSet = vtcp_lock_capabilities() < 0 }
      try clearCapabilities()
    }
    guard result < 0 else { return .emptyRoot }
    return .everything(why: "\(SystemError(call: "a mount namespace", code: -result))")
  }

  /// Landlock, if need be. Returns the log's words for what is in view.
  private func settle(_ view: View) throws(SandboxError) -> String {
    guard case .everything(let why) = view else { return "an empty root" }
    var removable: String?
    if case .listens = use { removable = use.directory }
    let result = vtcp_deny_files(removable)
    guard result < 0 else { return "files denied by Landlock (\(why))" }
    let refusal = "\(why); \(SystemError(call: "Landlock", code: -result))"
    guard mode != .on else {
      throw SandboxError("--sandbox=on: the host's files can't be put out of sight: \(refusal)")
    }
    log.warning("the host's files stay in view: \(refusal)")
    return "the host's files in view"
  }

  private var viewFlags: Int32 {
    if case .listens = use { return VTCP_VIEW_WRITABLE_DIRECTORY }
    return 0
  }

  private func changeIdentity() throws(SandboxError) {
    if wasRoot { _ = vtcp_clear_groups() }
    guard let identity, identity != identityAtStart else { return }
    let result = vtcp_change_identity(identity.user, identity.group)
    guard result != -SandboxError.notPermitted else {
      throw SandboxError("--user: only root may change to another user; start vtcp-nic as that user instead")
    }
    try Self.require("change to user \(identity.user), group \(identity.group)", result)
  }

  private func clearCapabilities() throws(SandboxError) {
    try Self.require("drop capabilities", vtcp_clear_capabilities())
  }

  private func noNewPrivileges() throws(SandboxError) {
    do throws(SystemError) { try Process.setNoNewPrivileges() } catch { throw SandboxError("\(error)") }
  }

  /// Returns the log's words for what is left.
  private func installFilter() throws(SandboxError) -> String {
    guard filter != .off else { return "any system call" }
    let uses: Int32
    switch use {
    case .listens: uses = VTCP_CALLS_ACCEPT | VTCP_CALLS_UNLINK
    case .accepts: uses = VTCP_CALLS_ACCEPT
    case .connects: uses = VTCP_CALLS_CONNECT | (acceptsControl ? VTCP_CALLS_ACCEPT : 0)
    }
    let result = vtcp_install_filter(uses, filter == .kill ? 1 : 0)
    guard result < 0 else { return "\(result) system calls\(filter == .log ? ", others logged" : "")" }
    let refusal = "\(SystemError(call: "seccomp", code: -result))"
    guard mode != .on else { throw SandboxError("--sandbox=on: system calls can't be filtered: \(refusal)") }
    log.warning("system calls are not filtered: \(refusal)")
    return "any system call"
  }

  private static func require(_ what: String, _ result: Int32) throws(SandboxError) {
    guard result < 0 else { return }
    throw SandboxError("cannot \(SystemError(call: what, code: -result))")
  }
}
