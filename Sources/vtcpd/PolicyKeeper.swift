// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
import HostService
import HostSystem
import PolicyLanguage
import Polling

/// The policy in force, its history, and what is set for a while above it. A policy with mistakes never comes into force.
final class PolicyKeeper {
  /// What a policy that was asked for came to.
  struct Adopted {
    let revision: PolicyRevision
    let warnings: [String]
    /// False: it was in force already.
    let isNew: Bool
  }

  private let files: PolicyFiles
  private let historyFiles: HistoryFiles
  private(set) var history: PolicyHistory
  /// Nil: there is none, and each NIC is as its mode says.
  private(set) var document: PolicyDocument?
  private(set) var sources: [PolicySource] = []
  private(set) var warnings: [String] = []
  /// Why the files that were to be reloaded last are not in force; empty: they are.
  private(set) var failure: ServiceError?
  var overrides: OverrideTable

  init(_ configuration: ServiceConfiguration, overrides: OverrideTable, log: Log) throws(SystemError) {
    files = PolicyFiles(paths: configuration.paths, places: configuration.policyFiles)
    historyFiles = HistoryFiles(paths: configuration.paths)
    history = try historyFiles.load(log)
    self.overrides = overrides
  }

  var revision: Int { document == nil ? 0 : history.last?.number ?? 0 }
  var authority: String { historyFiles.authority.rawValue }

  /// What a text has to be before it may come into force. Throws all mistakes.
  static func check(_ sources: [PolicySource]) throws(ServiceError) -> (document: PolicyDocument, warnings: [String]) {
    let reading = PolicyDocument.load(sources)
    guard let document = reading.document, reading.mistakes.isEmpty else {
      let lines = reading.mistakes.map(\.description)
      throw ServiceError(
        .mistaken, "the policy has \(lines.count == 1 ? "a mistake" : "\(lines.count) mistakes")", mistakes: lines)
    }
    return (document, reading.warnings.map(\.description))
  }

  /// At the start: what was set by a request stays, else the files count. If they have mistakes, the last policy in force stays.
  func begin(time: Int64) throws(ServiceError) {
    if historyFiles.authority == .request, let last = history.last, let kept = historyFiles.sources(last.number) {
      try use(kept)
      return
    }
    do throws(ServiceError) {
      _ = try reload(user: nil, time: time, reason: "start")
    } catch {
      guard let last = history.last, let kept = historyFiles.sources(last.number) else { throw error }
      try use(kept)
      throw error
    }
  }

  private func use(_ sources: [PolicySource]) throws(ServiceError) {
    let checked = try Self.check(sources)
    document = checked.document
    warnings = checked.warnings
    self.sources = sources
  }

  /// The files, as they are now, come into force. Nil: there are none.
  func reload(user: UInt32?, time: Int64, reason: String) throws(ServiceError) -> Adopted? {
    do throws(ServiceError) {
      let found = try files.sources()
      failure = nil
      guard !found.isEmpty else {
        document = nil
        sources = []
        warnings = []
        return nil
      }
      return try adopt(found, user: user, time: time, reason: reason, authority: .files)
    } catch {
      failure = error
      throw error
    }
  }

  /// A policy comes into force, and into the history.
  func adopt(
    _ sources: [PolicySource], user: UInt32?, time: Int64, reason: String, authority: HistoryFiles.Authority = .request
  ) throws(ServiceError) -> Adopted {
    let checked = try Self.check(sources)
    var next = history
    let added = next.add(digest: Self.digest(sources), user: user, time: time, reason: reason)
    do throws(SystemError) {
      // On disk first: what is in force can be gone back to.
      if let added { try historyFiles.save(added.added, sources) }
      try historyFiles.setAuthority(authority)
    } catch {
      throw ServiceError(.failed, "the policy in force stays: its history can't be written: \(error)")
    }
    for old in added?.forgotten ?? [] { historyFiles.remove(old) }
    history = next
    document = checked.document
    warnings = checked.warnings
    self.sources = sources
    failure = nil
    guard let last = history.last else {
      throw ServiceError(.failed, "the policy's history is empty: a defect of vtcpd")
    }
    return Adopted(revision: last, warnings: checked.warnings, isNew: added != nil)
  }

  func rollBack(to number: Int, user: UInt32, time: Int64) throws(ServiceError) -> Adopted {
    guard history[number] != nil, let sources = historyFiles.sources(number) else {
      let known = history.revisions.map { "\($0.number)" }.suffix(10).joined(separator: ", ")
      throw ServiceError(
        .notFound, "there is no revision \(number) of the policy; there are \(known.isEmpty ? "none" : known)")
    }
    return try adopt(sources, user: user, time: time, reason: "rollback to \(number)")
  }

  private static func digest(_ sources: [PolicySource]) -> String {
    SHA256.hexadecimal(of: sources.flatMap { Array("\($0.name)\n\($0.octets.count)\n".utf8) + $0.octets })
  }

  // MARK: - For one NIC

  /// The policy of a NIC; nil: there is no policy.
  func compiled(_ name: NICName, _ settings: NICSettings) -> CompiledPolicy? {
    document?.compile(for: settings.facts(name), overrides: overrides.settings(for: name, settings))
  }
}
