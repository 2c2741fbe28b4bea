// SPDX-License-Identifier: Apache-2.0
import CTestSupport
import Glibc

/// What a front-end does with a device's state when a guest migrates.
extension FrontEnd {
  public static let save: UInt32 = 0
  public static let load: UInt32 = 1

  /// SET_DEVICE_STATE_FD; returns the number of the reply: an error in its low octet, bit 8 if no descriptor comes back.
  public func setDeviceState(_ direction: UInt32, phase: UInt32 = 0, descriptors: [Int32]) throws -> UInt64? {
    let payload = FrontEnd.octets(direction) + FrontEnd.octets(phase)
    try send(Request.setDeviceState.rawValue, payload: payload, descriptors: descriptors)
    return try answer(to: .setDeviceState).number
  }

  public func checkDeviceState() throws -> UInt64? {
    try send(Request.checkDeviceState.rawValue)
    return try answer(to: .checkDeviceState).number
  }

  /// The reading and the writing end of a pipe, each of which is closed when it is taken out.
  public static func pipeEnds() throws -> [Descriptor] {
    let (reader, writer) = try Descriptor.pipe()
    return [reader, writer]
  }

  /// All that comes until the other end is closed.
  public static func readAll(_ pipe: Descriptor, timeout: Double = 5) throws -> [UInt8] {
    let deadline = Deadline(after: timeout)
    var octets: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 4096)
    while true {
      guard pipe.wait(for: POLLIN, until: deadline) else { throw TestFailure("the pipe has no end") }
      let count = read(pipe.number, &part, part.count)
      guard count >= 0 else { throw TestFailure("read: errno \(errno)") }
      guard count > 0 else { return octets }
      octets += part.prefix(count)
    }
  }

  /// The state of a device whose rings are stopped.
  public func saveState() throws -> [UInt8] {
    var ends = try FrontEnd.pipeEnds()
    let answer = try setDeviceState(FrontEnd.save, descriptors: [ends[1].number])
    guard answer == 0x100 else { throw TestFailure("SET_DEVICE_STATE_FD answered \(answer ?? 0)") }
    ends.removeLast()
    let octets = try FrontEnd.readAll(ends[0])
    guard try checkDeviceState() == 0 else { throw TestFailure("the state was not saved") }
    return octets
  }

  /// What CHECK_DEVICE_STATE says after the state went through a pipe.
  public func loadState(_ octets: [UInt8]) throws -> UInt64? {
    signal(SIGPIPE, SIG_IGN)
    var ends = try FrontEnd.pipeEnds()
    let answer = try setDeviceState(FrontEnd.load, descriptors: [ends[0].number])
    guard answer == 0x100 else { throw TestFailure("SET_DEVICE_STATE_FD answered \(answer ?? 0)") }
    ends.removeFirst()
    var rest = octets[...]
    // Ends early when the device closes its end.
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(ends[0].number, $0.baseAddress, $0.count) }
      guard count > 0 else { break }
      rest = rest.dropFirst(count)
    }
    ends.removeAll()
    return try checkDeviceState()
  }
}
