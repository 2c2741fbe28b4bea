// SPDX-License-Identifier: Apache-2.0

public import Polling

/// A program to start, and what it is to have. It gets no capabilities, no core files, standard signals and a session of its own.
public struct ProgramStart {
  /// Without the program's name.
  public var arguments: [String] = []
  public let path: String
  /// `NAME=VALUE`, nothing else is there. An entry `LISTEN_PID=` with room for ten digits gets the process's number.
  public var environment: [String] = []
  /// Become 3, 4, ... and no others stay open but 0, 1 and 2.
  public var descriptors: [OwnedDescriptor] = []
  /// Nil: ours.
  public var user: UInt32?
  public var group: UInt32?
  /// Open files.
  public var fileLimit: UInt64 = 4096
  /// Octets of private memory; nil: no limit.
  public var memoryLimit: UInt64?
  /// The `cgroup.procs` of its control group, open to write; nil: ours.
  public var controlGroup: OwnedDescriptor?

  public init(path: String) {
    self.path = path
  }
}
