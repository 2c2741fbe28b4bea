// SPDX-License-Identifier: Apache-2.0

import Memory
import Polling
import Virtio

/// The requests about the dirty log, for the migration of a guest.
extension BackEnd {
  /// Replaces the bitmap. Marks go to the new one from the reply on; if it can't be had, to the one before.
  /// The reply is not optional (with `LOG_SHMFD`): the front-end waits for it.
  func setLogBase(_ message: Message) throws(RequestError) -> [UInt8] {
    try require(.logSharedMemory)
    do throws(RequestError) {
      guard message.payload.count == 16 else { throw .malformedPayload }
      guard let file = message.descriptors.first else { throw .missingDescriptor }
      let place = Session.Log(size: message.payload.load(at: 0), offset: message.payload.load(at: 8))
      let bitmap = try MappedFile(file, size: place.size, offset: place.offset)
      memory.log.setBitmap(bitmap.region)
      dirtyLog = bitmap
      logPlace = place
      keeper?.keep(file, as: SessionName.log)
      return UInt64(0).littleEndianBytes
    } catch {
      tell(message.header, error)
      return UInt64(1).littleEndianBytes
    }
  }

  func setLogCall(_ message: inout Message) throws(RequestError) {
    guard let call = message.descriptors.popLast() else { throw .missingDescriptor }
    EventDescriptor.setNonBlocking(call.rawValue)
    device.setLogCall(call)
    hasLogCall = true
    keeper?.keep(call, as: SessionName.logCall)
  }
}
