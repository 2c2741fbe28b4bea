// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
import HostService
import HostSystem
import Sandbox

/// Users and groups of the configuration, by number: looked up once, at the start.
struct Identities {
  let controlGroup: UInt32?
  let socketGroup: UInt32?
  let nicGroup: UInt32?
  let access: AccessRule

  init(_ configuration: ServiceConfiguration) throws(ServiceError) {
    controlGroup = try configuration.controlGroup.map(Self.group)
    socketGroup = try configuration.socketGroup.map(Self.group)
    nicGroup = try configuration.nicGroup.map(Self.group)
    var administrators: Set<UInt32> = [0, OwnProcess.user]
    for name in configuration.administrators {
      do throws(SandboxError) {
        administrators.insert(try Identity(named: name).user)
      } catch {
        throw ServiceError(.mistaken, "control.administrators: \(error)")
      }
    }
    access = AccessRule(administrators: administrators)
  }

  private static func group(_ name: String) throws(ServiceError) -> UInt32 {
    do throws(SandboxError) {
      return try Identity(named: "0:\(name)").group
    } catch {
      throw ServiceError(.mistaken, "\(error); make it with 'groupadd --system \(name)', or give another")
    }
  }
}
