// SPDX-License-Identifier: Apache-2.0

/// The hook was called in another way than libvirt calls it.
public struct HookCallError: Error, Equatable, Sendable, CustomStringConvertible {
  public let description: String

  init(_ what: String) {
    description =
      "\(what); usage: vtcp-libvirt-hook [--control-socket=PATH] [--run-directory=PATH] NAME OPERATION SUBOPERATION EXTRA,"
      + " with the domain's XML on standard input"
  }
}
