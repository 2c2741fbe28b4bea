// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
import HostService
import HostSystem
import Polling
import Timekeeping

extension SupervisedNIC {
  /// Connections in their millions are told of a policy in some seconds.
  private static let policyPatience = Interval.seconds(60)

  /// Who may read the file: the NIC, before it is confined.
  private var policyAccess: FileAccess {
    FileAccess(mode: 0o640, group: user == nil ? nil : environment.identities.nicGroup ?? user)
  }

  /// The file that the next program begins with; nil: there is no policy.
  func writePolicyForStart() throws(ServiceError) -> String? {
    guard mode != "off", let text = environment.policyText(self) else { return nil }
    let octets = Array(text.utf8)
    do throws(SystemError) {
      try HostFile.write(paths.policy(name), octets, access: policyAccess)
    } catch {
      throw ServiceError(.failed, "NIC \(name): \(error)")
    }
    policy.digest = SHA256.hexadecimal(of: octets)
    policy.telling = nil
    policy.failure = nil
    return paths.policy(name)
  }

  /// Tells it its policy, if that is another one than it has. `done` when it is in force, or is not.
  func updatePolicy(_ done: @escaping () -> Void = {}) {
    guard mode != "off", isRunning, let text = environment.policyText(self) else { return done() }
    let octets = Array(text.utf8)
    let digest = SHA256.hexadecimal(of: octets)
    guard digest != policy.telling ?? policy.digest else {
      if policy.telling == nil { policy.failure = nil }
      return done()
    }
    policy.telling = digest
    let request = Array("policy \(octets.count)\n".utf8) + octets
    control.ask(request, patience: Self.policyPatience) { [weak self] result in
      self?.policyTold(octets, digest, result)
      done()
    }
  }

  private func policyTold(_ octets: [UInt8], _ digest: String, _ result: Result<NICAnswer, NICControl.Failure>) {
    if policy.telling == digest { policy.telling = nil }
    switch result {
    case .success(let answer) where answer.isGood:
      policy.digest = digest
      policy.failure = nil
      // What the next program begins with.
      do throws(SystemError) {
        try HostFile.write(paths.policy(name), octets, access: policyAccess)
      } catch {
        environment.log.error("NIC \(name): \(error)")
      }
    case .success(let answer): refused("it refuses its policy: \(answer.text)")
    case .failure(let failure): refused("\(failure)")
    }
  }

  private func refused(_ why: String) {
    policy.failure = why
    environment.log.error("NIC \(name): \(why)")
    tell("policy-refused", why)
  }
}
