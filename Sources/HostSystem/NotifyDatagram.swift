// SPDX-License-Identifier: Apache-2.0

public import Polling

/// A message of somebody who is watched, in systemd's language (sd_notify(3)).
public struct NotifyDatagram {
  public let bytes: [UInt8]
  public let descriptors: [OwnedDescriptor]
  /// The process that sent it, by the kernel's word; nil: it is not in our PID namespace.
  public let sender: Int32?
  /// It was longer than there is room, or not all of its descriptors came.
  public let isTruncated: Bool
}
