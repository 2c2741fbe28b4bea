// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
import HostService
import HostSystem
import PolicyLanguage
import Polling

/// The history of the policy on disk: of each revision what it was, who did it and when, in one file; and which one is in force by whose word.
struct HistoryFiles {
  private static let longest = 64 << 20

  /// Where the policy in force comes from.
  enum Authority: String {
    /// The files of the configuration; each start and reload reads them.
    case files
    /// `PUT /v1/policy` or a rollback: it stays until the files are reloaded.
    case request
  }

  let paths: RunPaths

  private func path(_ number: Int) -> String { "\(paths.historyDirectory)/\(PolicyHistory.fileName(number)).json" }
  private var authorityPath: String { "\(paths.historyDirectory)/authority" }

  func load(_ log: Log) throws(SystemError) -> PolicyHistory {
    var revisions: [PolicyRevision] = []
    for file in try HostFile.list(paths.historyDirectory) where file.hasSuffix(".json") {
      let path = "\(paths.historyDirectory)/\(file)"
      guard let value = try? read(path), let revision = PolicyRevision(value) else {
        log.error("\(path): is no revision of the policy; left alone")
        continue
      }
      revisions.append(revision)
    }
    return PolicyHistory(revisions)
  }

  private func read(_ path: String) throws -> JSONValue {
    try JSONValue(parsing: try HostFile.read(path, limit: Self.longest))
  }

  /// The texts of a revision; nil: they can't be read.
  func sources(_ number: Int) -> [PolicySource]? {
    guard let value = try? read(path(number)), let files = value["files"]?.array else { return nil }
    var sources: [PolicySource] = []
    for file in files {
      guard let name = file["name"]?.string, let text = file["text"]?.string else { return nil }
      sources.append(PolicySource(name, text))
    }
    return sources
  }

  func save(_ revision: PolicyRevision, _ sources: [PolicySource]) throws(SystemError) {
    guard case .object(var members) = revision.json else { return }
    members.append(.init("files", .array(sources.map { Self.json($0) })))
    let octets = Array((JSONValue.object(members).text + "\n").utf8)
    try HostFile.write(path(revision.number), octets, access: FileAccess(mode: 0o600), isDurable: true)
  }

  func remove(_ revision: PolicyRevision) {
    try? HostFile.remove(path(revision.number))
  }

  var authority: Authority {
    guard let octets = try? HostFile.read(authorityPath, limit: 64) else { return .files }
    return Authority(rawValue: String(decoding: octets, as: UTF8.self)) ?? .files
  }

  func setAuthority(_ authority: Authority) throws(SystemError) {
    try HostFile.write(
      authorityPath, Array(authority.rawValue.utf8), access: FileAccess(mode: 0o600), isDurable: true)
  }

  static func json(_ source: PolicySource) -> JSONValue {
    ["name": .string(source.name), "text": .string(String(decoding: source.octets, as: UTF8.self))]
  }
}
