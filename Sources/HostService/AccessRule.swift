// SPDX-License-Identifier: Apache-2.0

/// Who may do what at the control socket. Whoever could connect may read: the socket's group decides that. Changes are for root, the service's own user, and
/// those whom the configuration names.
public struct AccessRule: Equatable, Sendable {
  public let administrators: Set<UInt32>

  public init(administrators: Set<UInt32>) {
    self.administrators = administrators
  }

  /// Explaining and checking change nothing, though they are POST.
  public func permits(_ request: ServiceRequest, user: UInt32) -> Bool {
    !request.changes || administrators.contains(user)
  }
}
