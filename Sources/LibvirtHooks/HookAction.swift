// SPDX-License-Identifier: Apache-2.0

/// What vtcpd is to do.
public enum HookAction: Equatable, Sendable {
  /// Nothing: it is not about a NIC of ours, or nothing has to happen.
  case pass
  /// Each of these NICs listens, or connects, and has its policy when the answer is given. Those that are there already are left running and are
  /// told what is new.
  case provide([NICBinding])
  /// The domain has ended: NICs that the hook had made are taken away, those of `port add` are bound to it no longer.
  case release([NICBinding])
  /// One sentence for who wanted to start it.
  case refuse(String)
}
