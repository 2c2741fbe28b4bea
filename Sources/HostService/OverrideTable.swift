// SPDX-License-Identifier: Apache-2.0

public import ControlProtocol
public import PolicyLanguage

/// Settings above the policy for a while: of some NICs, until a time.
public struct OverrideTable: Equatable, Sendable {
  /// How many there may be.
  public static let limit = 256
  /// The longest time, in seconds: a week.
  public static let longest = 7 * 86_400

  /// One of them.
  public struct Entry: Equatable, Sendable {
    /// What it is called, to take it away: `1`, `2`.
    public let identifier: String
    public let target: Target
    /// A knob of the policy language with its value.
    public let key: String
    public let value: String
    /// Nanoseconds since 1970.
    public let until: Int64
    public let user: UInt32

    public init(identifier: String, target: Target, key: String, value: String, until: Int64, user: UInt32) {
      self.identifier = identifier
      self.target = target
      self.key = key
      self.value = value
      self.until = until
      self.user = user
    }
  }

  /// Whom it is for.
  public enum Target: Equatable, Sendable {
    case all
    case machine(String)
    case nic(String)
  }

  public private(set) var entries: [Entry] = []
  private var last = 0

  public init() {}

  /// Nil: there are too many.
  public mutating func add(target: Target, key: String, value: String, until: Int64, user: UInt32) -> Entry? {
    guard entries.count < Self.limit else { return nil }
    last += 1
    let entry = Entry(identifier: "\(last)", target: target, key: key, value: value, until: until, user: user)
    entries.append(entry)
    return entry
  }

  /// False: there is none of that name.
  public mutating func remove(_ identifier: String) -> Bool {
    let before = entries.count
    entries.removeAll { $0.identifier == identifier }
    return entries.count < before
  }

  /// Takes away those whose time is over. Returns them.
  public mutating func expire(now: Int64) -> [Entry] {
    let over = entries.filter { $0.until <= now }
    entries.removeAll { $0.until <= now }
    return over
  }

  /// When the next one's time is over.
  public var nextEnd: Int64? { entries.map(\.until).min() }

  /// Those for this NIC, the later ones last.
  public func settings(for name: NICName, _ settings: NICSettings) -> [PolicyOverride] {
    entries.filter { entry in
      switch entry.target {
      case .all: true
      case .machine(let machine): settings.machineName == machine
      case .nic(let nic): name.text == nic
      }
    }.map { PolicyOverride(id: $0.identifier, key: $0.key, value: $0.value) }
  }

  /// As it is kept on disk and answered.
  public var json: JSONValue {
    .array(
      entries.map { entry in
        var members: [JSONValue.Member] = [.init("id", .string(entry.identifier))]
        switch entry.target {
        case .all: break
        case .machine(let name): members.append(.init("vm", .string(name)))
        case .nic(let name): members.append(.init("nic", .string(name)))
        }
        members += [
          .init("key", .string(entry.key)), .init("value", .string(entry.value)),
          .init("until", .string(TimeText.utc(entry.until))), .init("untilNanoseconds", .integer(Int(entry.until))),
          .init("user", .integer(Int(entry.user))),
        ]
        return .object(members)
      })
  }

  /// What `json` writes; what is not understood is left out.
  public init(_ value: JSONValue) {
    for part in (value.array ?? []).prefix(Self.limit) {
      guard let identifier = part["id"]?.string, let number = Int(identifier), number > 0,
        let key = part["key"]?.string,
        let text = part["value"]?.string, let until = part["untilNanoseconds"]?.integer,
        let user = part["user"]?.integer.flatMap({ UInt32(exactly: $0) })
      else { continue }
      let target: Target =
        part["nic"]?.string.map { .nic($0) } ?? part["vm"]?.string.map { .machine($0) } ?? .all
      entries.append(
        Entry(identifier: identifier, target: target, key: key, value: text, until: Int64(until), user: user))
      last = max(last, number)
    }
  }
}
