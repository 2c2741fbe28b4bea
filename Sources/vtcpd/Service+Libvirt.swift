// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
import DomainXML
import HostService
import LibvirtHooks
import PolicyLanguage
import Polling

/// What libvirt's hook and its events ask for (docs/libvirt.md). What a call means is decided by `LibvirtHook`; here it is done.
extension Service {
  func nic(named text: String) -> SupervisedNIC? { (try? NICName(text)).flatMap { nics[$0] } }

  /// A call of the hook, with the domain's XML.
  func libvirtHook(
    _ machine: String, _ operation: String, _ body: [UInt8], _ reply: ControlReply
  ) throws(ServiceError) {
    guard let operation = HookOperation(rawValue: operation) else { return reply.send(["done": "nothing"]) }
    let reading = try domain(body)
    switch LibvirtHook(host: ServiceHookHost(service: self)).action(operation, reading) {
    case .pass: reply.send(["done": "nothing"])
    case .refuse(let sentence):
      tell("domain-refused", sentence, [.init("vm", .string(machine))])
      throw ServiceError(.mistaken, sentence)
    case .provide(let bindings):
      if let uuid = reading.domain.uuid { claims.begin(uuid.description) }
      provide(bindings, isStarting: operation == .prepare, reply)
    case .release:
      guard let uuid = reading.domain.uuid?.description else { return reply.send(["done": "nothing"]) }
      claims.end(uuid, now: MonotonicClock.now())
      // Also what was plugged in, or out without a word.
      let bound = nics.values.filter { $0.settings.bound?.uuid == uuid }
      let names = bound.map(\.name.text).sorted()
      release(bound) { reply.send(["released": .array(names.map { .string($0) })]) }
    }
  }

  /// A running domain's XML, as it is now.
  func libvirtMetadata(_ uuid: String, _ body: [UInt8], _ reply: ControlReply) throws(ServiceError) {
    let reading = try domain(body)
    guard let domain = reading.domain.uuid?.description, domain == uuid.lowercased() else {
      throw ServiceError(
        .mistaken, "the XML is of domain \(reading.domain.uuid?.description ?? "without a UUID"), not of \(uuid)")
    }
    guard !claims.isOver(domain, now: MonotonicClock.now()) else {
      return reply.send(["done": "nothing: the domain has ended"])
    }
    let bindings = LibvirtHook(host: ServiceHookHost(service: self)).bindings(reading.domain)
    let named = Set(bindings.map(\.name))
    let unplugged = nics.values.filter { $0.settings.bound?.uuid == domain && !named.contains($0.name.text) }
    release(unplugged) {}
    guard reading.mistakes.isEmpty else {
      throw ServiceError(
        .mistaken, "the policy of domain \(reading.domain.name) stays as it is: its XML has mistakes",
        mistakes: reading.mistakes.map(\.description))
    }
    var mistakes: [String] = []
    var told: [JSONValue] = []
    var left = 1
    let one = {
      left -= 1
      if left == 0 { reply.send(["nics": .array(told)]) }
    }
    for binding in bindings {
      guard let nic = nic(named: binding.name), let settings = settings(for: binding) else { continue }
      if let owner = nic.settings.bound, owner.uuid != domain {
        mistakes.append("NIC \(nic.name) is bound to domain \(owner.name)")
        continue
      }
      if let objection = objection(nic.name, settings) {
        mistakes.append(objection)
        continue
      }
      guard settings != nic.settings else { continue }
      left += 1
      told.append(.string(nic.name.text))
      do throws(ServiceError) {
        try bind(nic, settings, one)
      } catch {
        mistakes.append(error.failure.sentence)
        left -= 1
      }
    }
    if !mistakes.isEmpty {
      tell("policy-refused", mistakes[0], [.init("vm", .string(reading.domain.name))])
      reply.send(ServiceError(.mistaken, "domain \(reading.domain.name): \(mistakes[0])", mistakes: mistakes))
    }
    one()
  }

  private func domain(_ body: [UInt8]) throws(ServiceError) -> DomainReading {
    do throws(DomainMistake) { return try DomainReading(parsing: body) } catch {
      throw ServiceError(.mistaken, "the domain's XML can't be read: \(error)")
    }
  }

  /// What a NIC is to be for the domain: what it is, and bound to it; or one that is made for it. Nil: the domain has no UUID.
  func settings(for binding: NICBinding) -> NICSettings? {
    guard let bound = NICDomain(binding) else { return nil }
    var settings: NICSettings
    if let present = nic(named: binding.name)?.settings {
      settings = present
    } else {
      settings = NICSettings()
      settings.origin = .libvirt
    }
    if settings.origin == .libvirt {
      settings.queuePairs = binding.queues
      settings.mtu = binding.mtu
    }
    settings.bound = bound
    return settings
  }

  /// Why no NIC can be so, by the policy in force.
  func objection(_ name: NICName, _ settings: NICSettings) -> String? {
    guard let compiled = policy.compiled(name, settings) else {
      let named = [settings.bound?.machineClass, settings.bound?.nicClass].compactMap(\.self).first
      return named.map { "class '\($0)' of domain \(settings.bound?.name ?? "") is not defined: no policy is in force" }
    }
    return compiled.mistakes.first?.description
  }

  private func bind(_ nic: SupervisedNIC, _ settings: NICSettings, _ done: @escaping () -> Void) throws(ServiceError) {
    try keep(nic.name, settings)
    nic.settings = settings
    nic.updatePolicy(done)
  }

  // MARK: - Providing and releasing

  /// Makes the NICs, or binds those that are there. Of those that can't be made none stays that was made now.
  private func provide(_ bindings: [NICBinding], isStarting: Bool, _ reply: ControlReply) {
    var made: [SupervisedNIC] = []
    var failure: ServiceError?
    var left = bindings.count
    let one: (Result<SupervisedNIC, ServiceError>, Bool) -> Void = { [weak self] result, isNew in
      left -= 1
      switch result {
      case .success(let nic): if isNew { made.append(nic) }
      case .failure(let error): failure = failure ?? error
      }
      guard left == 0 else { return }
      guard let failure else { return reply.send(["provided": .array(bindings.map { .string($0.name) })]) }
      self?.release(made) { reply.send(failure) }
    }
    for binding in bindings {
      do throws(ServiceError) {
        try provide(binding, isStarting: isStarting, one)
      } catch {
        one(.failure(error), false)
      }
    }
  }

  private func provide(
    _ binding: NICBinding, isStarting: Bool, _ done: @escaping (Result<SupervisedNIC, ServiceError>, Bool) -> Void
  ) throws(ServiceError) {
    let name = try NICName(binding.name)
    guard let settings = settings(for: binding) else {
      throw ServiceError(.mistaken, "domain \(binding.domain) has no UUID")
    }
    guard let present = nics[name] else { return try add(name, settings) { done($0, true) } }
    // It was made for another definition of the domain, which has ended without a word.
    guard isStarting, present.settings.origin == .libvirt, settings.startsDifferently(from: present.settings) else {
      return try add(name, Self.withOptions(of: present.settings, settings)) { done($0, false) }
    }
    try remove(name) { [weak self] in
      do throws(ServiceError) {
        try self?.add(name, settings) { done($0, true) }
      } catch {
        done(.failure(error), false)
      }
    }
  }

  /// A running NIC keeps what it was started with.
  private static func withOptions(of present: NICSettings, _ wanted: NICSettings) -> NICSettings {
    var settings = present
    settings.bound = wanted.bound
    return settings
  }

  /// NICs that were made for their domain end; ports wait for the next one. `done` when they have.
  private func release(_ nics: [SupervisedNIC], _ done: @escaping () -> Void) {
    var left = nics.count + 1
    let one = {
      left -= 1
      if left == 0 { done() }
    }
    for nic in nics {
      do throws(ServiceError) {
        switch nic.settings.origin {
        case .libvirt: try remove(nic.name, one)
        case .port:
          var settings = nic.settings
          settings.bound = nil
          try bind(nic, settings, one)
        }
      } catch {
        log.error("NIC \(nic.name): \(error)")
        one()
      }
    }
    one()
  }
}
