// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
import LibvirtHooks
import Polling
import Timekeeping

/// One call of libvirt's, carried to vtcpd.
struct HookRequest {
  private let call: HookCall
  private let input: [UInt8]
  private let deadline: Instant

  init(_ call: HookCall, _ input: [UInt8], deadline: Instant) {
    self.call = call
    self.input = input
    self.deadline = deadline
  }

  /// Asks vtcpd if it is about us. Nil: all is well.
  func complaint() -> String? {
    switch HookPassage(input, folder: call.folder) {
    case .passes: return nil
    case .unreadable(let mistake): return "the XML of domain \(call.name) can't be read, \(mistake)"
    case .asks: break
    }
    let parameters: [ControlPath.Parameter] = [
      .init("vm", call.name), .init("operation", call.operation), .init("suboperation", call.suboperation),
      .init("extra", call.extra),
    ]
    let client = ControlClient(path: call.controlSocket, patience: max(deadline - MonotonicClock.now(), .zero))
    do throws(ControlClientError) {
      let answer = try client.ask(.post, ControlPath(["v1", "libvirt", "hook"], parameters: parameters), body: input)
      return answer.failure.map(Self.line)
    } catch {
      return sentence(of: error)
    }
  }

  /// On one line, as virsh shows it.
  private static func line(_ failure: ControlFailure) -> String {
    ([failure.sentence] + failure.mistakes.prefix(3)).joined(separator: "; ")
      .split(whereSeparator: \.isNewline).joined(separator: " ")
  }

  private func sentence(of error: ControlClientError) -> String {
    let silent = "vtcpd does not answer on \(call.controlSocket)"
    switch error {
    case .unreachable(let reason):
      let mend = error.isNotRunning ? "; start it: systemctl start vtcpd" : ""
      return "\(silent) (\(reason.reason))\(mend)"
    case .timedOut: return "\(silent) (within \(patience.nanoseconds / 1_000_000_000) s): see journalctl -u vtcpd"
    case .broken(let why): return "\(silent) as it should (\(why)): are the hook and vtcpd of the same version?"
    }
  }
}
