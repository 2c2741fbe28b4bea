// SPDX-License-Identifier: Apache-2.0

public import ControlProtocol
import TCPPolicy

/// What can be asked for at the service's control socket (docs/host-service.md).
public enum ServiceRequest: Equatable, Sendable {
  /// How a NIC is made to begin anew.
  public enum Renewal: String, Sendable {
    /// Its program is started again and goes on with everything: also how a new version takes over.
    case restart
    case upgrade
    /// No more early acknowledgments; what is owed is delivered.
    case drain
  }

  case status
  case nics
  case nic(NICName)
  case addNIC(NICName)
  case removeNIC(NICName)
  case renew(NICName, Renewal)
  /// Data are acknowledged early again.
  case endDraining(NICName)
  case statistics(NICName)
  case policy
  case setPolicy
  case checkPolicy
  case explainPolicy
  case diffPolicy
  case history
  case rollBack(revision: Int)
  case overrides
  case addOverride
  case removeOverride(String)
  case reload
  case shutDown
  case libvirtHook(machine: String, operation: String, suboperation: String, extra: String)
  case libvirtMetadata(uuid: String)
  case events

  /// Whether it needs the right to change something.
  public var changes: Bool {
    switch self {
    case .status, .nics, .nic, .statistics, .policy, .checkPolicy, .explainPolicy, .diffPolicy, .history, .overrides,
      .events:
      false
    case .addNIC, .removeNIC, .renew, .endDraining, .setPolicy, .rollBack, .addOverride, .removeOverride, .reload,
      .shutDown,
      .libvirtHook, .libvirtMetadata:
      true
    }
  }

  /// Throws 404 for what there is not, with what may have been meant, and 400 for a name that can't be.
  public init(_ line: ControlRequestLine) throws(ServiceError) {
    let path = line.path
    let words = path.segments
    guard words.first == "v1" else {
      throw ServiceError(.notFound, "paths begin with /v1, as /v1/status")
    }
    switch (line.method, words.dropFirst().first, words.count) {
    case (.get, "status", 2): self = .status
    case (.get, "nics", 2): self = .nics
    case (_, "nics", 3): self = try Self.aboutNIC(line.method, try NICName(words[2]))
    case (_, "nics", 4): self = try Self.aboutNIC(line.method, try NICName(words[2]), words[3])
    case (.get, "policy", 2): self = .policy
    case (.put, "policy", 2): self = .setPolicy
    case (_, "policy", 3): self = try Self.aboutPolicy(line.method, words[2], path)
    case (.get, "overrides", 2): self = .overrides
    case (.post, "overrides", 2): self = .addOverride
    case (.delete, "overrides", 3): self = .removeOverride(words[2])
    case (.post, "reload", 2): self = .reload
    case (.post, "shutdown", 2): self = .shutDown
    case (.post, "libvirt", 3): self = try Self.aboutLibvirt(words[2], path)
    case (.get, "events", 2): self = .events
    default: throw Self.unknown(line)
    }
  }

  private static func aboutNIC(_ method: ControlMethod, _ name: NICName) throws(ServiceError) -> ServiceRequest {
    switch method {
    case .get: return .nic(name)
    case .put: return .addNIC(name)
    case .delete: return .removeNIC(name)
    case .post: throw ServiceError(.notFound, "POST is for what is done with a NIC: /v1/nics/\(name)/restart")
    }
  }

  private static func aboutNIC(
    _ method: ControlMethod, _ name: NICName, _ word: String
  ) throws(ServiceError) -> ServiceRequest {
    if method == .get, word == "statistics" { return .statistics(name) }
    if method == .post, let renewal = Renewal(rawValue: word) { return .renew(name, renewal) }
    if method == .delete, word == "drain" { return .endDraining(name) }
    let known = ["drain", "restart", "upgrade", "statistics"]
    let meant = NearestWord.of(word, in: known).map { "; did you mean \($0)?" } ?? ""
    throw ServiceError(
      .notFound,
      "of a NIC there are GET statistics, POST drain, restart and upgrade, and DELETE drain, no \(method.rawValue) '\(word)'\(meant)"
    )
  }

  private static func aboutPolicy(
    _ method: ControlMethod, _ word: String, _ path: ControlPath
  ) throws(ServiceError) -> ServiceRequest {
    switch (method, word) {
    case (.post, "check"): return .checkPolicy
    case (.post, "explain"): return .explainPolicy
    case (.post, "diff"): return .diffPolicy
    case (.get, "history"): return .history
    case (.post, "rollback"):
      guard let revision = path["revision"].flatMap({ Int($0) }), revision > 0 else {
        throw ServiceError(
          .mistaken, "say to which revision: /v1/policy/rollback?revision=N, as GET /v1/policy/history has them")
      }
      return .rollBack(revision: revision)
    default:
      let known = ["check", "explain", "diff", "history", "rollback"]
      let meant = NearestWord.of(word, in: known).map { "; did you mean \($0)?" } ?? ""
      throw ServiceError(
        .notFound,
        "of the policy there are GET history, and POST check, explain, diff and rollback, no \(method.rawValue) '\(word)'\(meant)"
      )
    }
  }

  private static func aboutLibvirt(_ word: String, _ path: ControlPath) throws(ServiceError) -> ServiceRequest {
    switch word {
    case "hook":
      guard let machine = path["vm"], !machine.isEmpty, let operation = path["operation"] else {
        throw ServiceError(
          .mistaken, "say of which VM and what: /v1/libvirt/hook?vm=NAME&operation=OP&suboperation=SUB&extra=X")
      }
      return .libvirtHook(
        machine: machine, operation: operation, suboperation: path["suboperation"] ?? "", extra: path["extra"] ?? "")
    case "metadata":
      guard let uuid = path["uuid"], !uuid.isEmpty else {
        throw ServiceError(.mistaken, "say of which VM: /v1/libvirt/metadata?uuid=U")
      }
      return .libvirtMetadata(uuid: uuid)
    default:
      throw ServiceError(.notFound, "of libvirt there are POST hook and metadata, no '\(word)'")
    }
  }

  private static func unknown(_ line: ControlRequestLine) -> ServiceError {
    let known = ["status", "nics", "policy", "overrides", "reload", "shutdown", "libvirt", "events"]
    let word = line.path.segments.dropFirst().first ?? ""
    let path = ControlPath(line.path.segments)
    guard !known.contains(word) else {
      return ServiceError(.notFound, "there is no \(line.method.rawValue) \(path)")
    }
    let meant = NearestWord.of(word, in: known).map { "; did you mean /v1/\($0)?" } ?? ""
    return ServiceError(.notFound, "there is no \(path)\(meant)")
  }
}
