// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
import DomainXML
import HostService
import LibvirtHooks
import PolicyLanguage

/// What `LibvirtHook` asks of this host.
struct ServiceHookHost: HookHost {
  /// As many as `port add` takes.
  let mostQueues = 64
  let service: Service

  var folder: String { service.configuration.paths.runDirectory }

  func objection(name: String) -> String? {
    do throws(ServiceError) {
      try service.configuration.paths.check(try NICName(name))
      return nil
    } catch {
      return error.failure.sentence
    }
  }

  func owner(_ nic: String) -> HookOwner? {
    guard let bound = service.nic(named: nic)?.settings.bound, let uuid = DomainUUID(bound.uuid) else { return nil }
    return HookOwner(name: bound.name, uuid: uuid)
  }

  func objection(policy binding: NICBinding) -> String? {
    guard let settings = service.settings(for: binding), let name = try? NICName(binding.name) else {
      return "domain \(binding.domain) has no UUID"
    }
    let queues = settings.queuePairs ?? service.configuration.queuePairs
    guard queues >= binding.queues else {
      return
        "port \(name) has \(queues) queues, and domain \(binding.domain) asks for \(binding.queues): make it with more"
    }
    return service.objection(name, settings)
  }
}
