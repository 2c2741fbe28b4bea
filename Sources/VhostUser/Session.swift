// SPDX-License-Identifier: Apache-2.0

import Virtio

/// What a front-end has said on its connection so far, but for descriptors: whoever has it and them can go on with the connection.
struct Session: Equatable {
  /// A region of guest memory, and under which number its file is kept. Regions of one file have one number.
  struct Region: Equatable {
    var description: MemoryRegionDescription
    var slot: Int
  }

  /// The dirty log's place in its file.
  struct Log: Equatable {
    var size: UInt64
    var offset: UInt64
  }

  /// With `logAll` if writes to guest memory are to be marked.
  var features: VirtioFeatures = []
  var protocolFeatures: ProtocolFeatures = []
  var status: UInt8 = 0
  var areFeaturesRefused = false
  var hasRequestChannel = false
  var hasLogCall = false
  var log: Log?
  var regions: [Region] = []
  /// Regions that were removed lately.
  var removed: [MemoryRegionDescription] = []
  var vrings: [Vring]
}
