// SPDX-License-Identifier: Apache-2.0

import LargeSend
import Memory
import Polling
import Timekeeping

/// `vtcp-nic --control-socket PATH --set-policy FILE`, `--set-large-send SIZE`, and `--status`: asks one that runs.
struct ControlClient {
  /// A NIC that is busy answers between two turns; connections in their millions are told of a policy in some seconds.
  private static let patience = Interval.seconds(60)

  let path: String

  /// Puts the file's policy in force. Returns what to print; throws what is wrong, in the file's lines.
  func setPolicy(_ file: String) throws(OptionsError) -> String {
    let text = try PolicyFile.text(file, option: "--set-policy")
    let answer = try ask(Array("policy \(text.utf8.count)\n".utf8) + Array(text.utf8))
    guard answer.isGood else {
      // As compilers say it, so that editors find the place.
      let lines = answer.lines.map { "\(file):\($0)" }
      throw OptionsError("--set-policy: the policy in force stays\n" + lines.joined(separator: "\n"))
    }
    return answer.lines.joined(separator: "\n") + "\n"
  }

  func setLargeSend(_ setting: LargeSendSetting) throws(OptionsError) -> String {
    let answer = try ask(Array("large-send \(setting)\n".utf8))
    guard answer.isGood else { throw OptionsError("--set-large-send: \(answer.lines.joined(separator: " "))") }
    return answer.lines.joined(separator: "\n") + "\n"
  }

  func status() throws(OptionsError) -> String {
    let answer = try ask(Array("status\n".utf8))
    guard answer.isGood else { throw OptionsError("--status: \(answer.lines.joined(separator: " "))") }
    return answer.lines.joined(separator: "\n") + "\n"
  }

  private func ask(_ octets: [UInt8]) throws(OptionsError) -> ControlAnswer {
    do throws(SystemError) {
      let socket = try UnixSocket.connect(path: path)
      let poller = try Poller(maximumEvents: 1)
      try poller.add(socket.rawValue, .writable, token: 0)
      try send(octets, socket.rawValue, poller)
      try poller.modify(socket.rawValue, .readable, token: 0)
      guard let answer = ControlAnswer(parsing: try receive(socket.rawValue, poller)) else {
        throw SystemError(call: "read from \(path)", code: SystemError.connectionReset)
      }
      return answer
    } catch {
      throw OptionsError("--control-socket: \(error)\(hint(error))")
    }
  }

  private func send(_ octets: [UInt8], _ socket: Int32, _ poller: Poller) throws(SystemError) {
    let bytes = ByteRegion.allocate(count: octets.count)
    defer { bytes.deallocate() }
    bytes.copy(from: octets)
    var sent = 0
    while sent < bytes.count {
      switch UnixSocket.send(socket, bytes.suffix(from: sent), descriptors: []) {
      case .bytes(let count): sent += count
      case .wouldBlock: try wait(poller)
      case .failed(let error): throw error
      }
    }
  }

  private func receive(_ socket: Int32, _ poller: Poller) throws(SystemError) -> String {
    let room = ByteRegion.allocate(count: 65_536)
    defer { room.deallocate() }
    var octets: [UInt8] = []
    while true {
      switch ByteStream.read(socket, into: room) {
      case .bytes(let count): octets += room.slice(from: 0, count: count).bytes
      case .wouldBlock: try wait(poller)
      case .end: return String(decoding: octets, as: UTF8.self)
      case .failed(let error): throw error
      }
    }
  }

  private func wait(_ poller: Poller) throws(SystemError) {
    guard poller.wait(timeout: Self.patience) > 0 else {
      throw SystemError(call: "wait for \(path)", code: SystemError.timedOut)
    }
  }

  private func hint(_ error: SystemError) -> String {
    switch error.code {
    case SystemError.noSuchFile, SystemError.connectionRefused:
      "; give the path that vtcp-nic was started with as --control-socket, of one that runs"
    case SystemError.notPermitted: "; be the user who started vtcp-nic"
    case SystemError.connectionReset: "; it has ended meanwhile"
    default: ""
    }
  }
}
