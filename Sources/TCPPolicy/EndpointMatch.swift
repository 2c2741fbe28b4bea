// SPDX-License-Identifier: Apache-2.0

/// What a rule wants of one end of a connection. Both ends of the range of ports are in it.
public struct EndpointMatch: BitwiseCopyable, Hashable, Sendable {
  /// Nil: any address of any version.
  public var prefix: AddressPrefix?
  public var firstPort: UInt16
  public var lastPort: UInt16

  public init(_ prefix: AddressPrefix? = nil, firstPort: UInt16 = 0, lastPort: UInt16 = .max) {
    self.prefix = prefix
    self.firstPort = firstPort
    self.lastPort = lastPort
  }

  public init(_ prefix: AddressPrefix? = nil, port: UInt16) {
    self.init(prefix, firstPort: port, lastPort: port)
  }
}
