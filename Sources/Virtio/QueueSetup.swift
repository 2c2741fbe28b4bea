// SPDX-License-Identifier: Apache-2.0

/// All that a front-end and a driver agree on about a virtqueue before it starts.
public struct QueueSetup: Sendable {
  public var format: RingFormat
  /// Entries; a power of two if split, 1...32768.
  public var size: UInt16
  public var areas: RingAreas
  /// The front-end's address of the descriptor area: the ring's identity in a `RingJournal`.
  public var descriptorAddress: UInt64
  /// `VIRTIO_F_EVENT_IDX` was negotiated.
  public var eventIndex: Bool
  /// `VIRTIO_F_NOTIFY_ON_EMPTY` was negotiated.
  public var notifyOnEmpty: Bool
  /// As in `VHOST_USER_SET_VRING_BASE`.
  public var base: UInt32
  /// Where writes to the used ring are marked (`log_guest_addr`), if they are to be (`VHOST_VRING_F_LOG`).
  public var usedLogAddress: UInt64?
  /// The ring runs, and its driver does not know that the device is another process from here on: a split ring goes on at its used
  /// index, whatever `base` says. A packed ring does so by its journal.
  public var goesOn: Bool

  public init(
    format: RingFormat, size: UInt16, areas: RingAreas, descriptorAddress: UInt64, eventIndex: Bool,
    notifyOnEmpty: Bool, base: UInt32, usedLogAddress: UInt64? = nil, goesOn: Bool = false
  ) {
    self.format = format
    self.size = size
    self.areas = areas
    self.descriptorAddress = descriptorAddress
    self.eventIndex = eventIndex
    self.notifyOnEmpty = notifyOnEmpty
    self.base = base
    self.usedLogAddress = usedLogAddress
    self.goesOn = goesOn
  }
}
