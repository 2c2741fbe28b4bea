// SPDX-License-Identifier: Apache-2.0

import Capture
import Datapath
import Memory
import Polling
import Timekeeping

/// All who look at the frames of the NIC.
///
/// After each turn of the datapath they are sent what came together in it, as much as they take. Who takes too little misses frames, which are
/// counted: the datapath waits for nobody.
final class CaptureStreams {
  private let nic: VirtualNIC
  private let poller: Poller
  private let log: Log
  /// Tokens of the poller from here on are theirs, `VirtualNIC.mostCaptures` of them.
  private let firstToken: UInt64
  private var streams = [CaptureStream?](repeating: nil, count: VirtualNIC.mostCaptures)
  private let room = ByteRegion.allocate(count: 4096)
  private(set) var count = 0

  init(nic: VirtualNIC, poller: Poller, firstToken: UInt64, log: Log) {
    self.nic = nic
    self.poller = poller
    self.firstToken = firstToken
    self.log = log
  }

  deinit { room.deallocate() }

  /// Shows the frames that are asked for to who asks, beginning with the answer.
  func begin(_ request: CaptureRequest, over connection: OwnedDescriptor, now: Instant) {
    guard let place = streams.firstIndex(where: { $0 == nil }) else {
      return answer("error\n\(streams.count) captures run already, and more may not; end one\n", connection)
    }
    let capture = PacketCapture(
      filter: request.filter, snapLength: request.snapLength, limit: request.limit,
      application: "vtcp-nic \(Usage.version)", wallClock: TimeOfDay.now(), now: now)
    do throws(SystemError) {
      try poller.add(connection.rawValue, .readable, token: firstToken + UInt64(place))
    } catch {
      log.error("--control-socket: \(error)")
      return answer("error\n\(error)\n", connection)
    }
    answer("ok\n", connection)
    _ = nic.begin(capture)
    streams[place] = CaptureStream(capture, over: connection)
    count += 1
    log.notice("a capture has begun")
  }

  /// The poller has something about one of them; false: the token is nobody's.
  func ready(_ token: UInt64, _ interest: Poller.Interest) -> Bool {
    guard token >= firstToken, token - firstToken < UInt64(streams.count) else { return false }
    let place = Int(token - firstToken)
    guard let stream = streams[place] else { return true }
    stream.unblock()
    if stream.listens, !interest.isDisjoint(with: [.readable, .hangup, .error]), !stream.listen(room) { close(place) }
    return true
  }

  /// After each turn. True if there is more to do at once.
  func turned(now: Instant) -> Bool {
    var isMoreToDo = false
    for place in streams.indices {
      guard let stream = streams[place], stream.hasWork else { continue }
      guard stream.send(now: now) else {
        close(place)
        continue
      }
      watch(stream, place)
      if stream.hasWork { isMoreToDo = true }
    }
    return isMoreToDo
  }

  /// The program ends: what can be sent at once is sent.
  func end(now: Instant) {
    for stream in streams { stream?.end() }
    _ = turned(now: now)
  }

  private func watch(_ stream: CaptureStream, _ place: Int) {
    var interest: Poller.Interest = stream.listens ? .readable : []
    if stream.isBlocked { interest.insert(.writable) }
    do throws(SystemError) {
      try poller.modify(stream.connection.rawValue, interest, token: firstToken + UInt64(place))
    } catch {
      log.error("--control-socket: \(error)")
    }
  }

  private func close(_ place: Int) {
    guard let stream = streams[place] else { return }
    poller.remove(stream.connection.rawValue)
    nic.end(stream.capture)
    streams[place] = nil
    count -= 1
    log.notice(
      "a capture has ended: \(stream.capture.acceptedCount) frames, of which \(stream.capture.missedCount) were missed")
  }

  private func answer(_ text: String, _ connection: OwnedDescriptor) {
    let octets = Array(text.utf8)
    let bytes = ByteRegion.allocate(count: octets.count)
    defer { bytes.deallocate() }
    bytes.copy(from: octets)
    _ = UnixSocket.send(connection.rawValue, bytes, descriptors: [])
  }
}
