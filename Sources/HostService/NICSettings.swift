// SPDX-License-Identifier: Apache-2.0

public import ControlProtocol

/// What a NIC is to be like: what `port add` or libvirt says of it. It is kept on disk as JSON, by the same names.
public struct NICSettings: Equatable, Sendable {
  /// What made it.
  public enum Origin: String, Sendable {
    /// `PUT /v1/nics/NAME`: stays until `DELETE`.
    case port
    /// libvirt's hook: goes with its domain.
    case libvirt
  }

  /// How connections are treated of which policy says nothing: vtcp-nic's --vtcp.
  public static let modes = ["off", "limit", "snoop", "early", "snoop,always", "early,always"]
  public static let polls = ["adaptive", "never", "always"]

  public var origin = Origin.port
  /// As whom its program runs, by number: the same one after each start, since its files are this user's. Nil: as the service does.
  public var user: UInt32?
  /// The VM's name and UUID, as policies match them.
  public var machine: String?
  public var uuid: String?
  public var macAddress: String?
  public var alias: String?
  public var groups: [String] = []
  /// The policy's class for all of the VM, and for this NIC.
  public var machineClass: String?
  public var nicClass: String?
  /// Single settings, of keys that the policy allows its tenants.
  public var inline: [Setting] = []
  /// libvirt's <bandwidth>.
  public var bandwidth: Bandwidth?
  /// `tap:NAME`, `packet:NAME` or `null`; nil: by the template.
  public var uplink: String?
  /// The bridge that a TAP joins; nil: the configuration's.
  public var bridge: String?
  public var queuePairs: Int?
  public var mtu: Int?
  public var mode: String?
  /// The libvirt domain that has it now.
  public var bound: NICDomain?

  /// A key of the policy language with its value.
  public struct Setting: Equatable, Sendable {
    public let key: String
    public let value: String

    public init(_ key: String, _ value: String) {
      self.key = key
      self.value = value
    }
  }

  /// In libvirt's units: kilobytes (1024 octets) a second, and a burst in kilobytes. Inbound is what the guest receives.
  public struct Bandwidth: Equatable, Sendable {
    public struct Direction: Equatable, Sendable {
      public let average: Int?
      public let peak: Int?
      public let burst: Int?

      public init(average: Int?, peak: Int?, burst: Int?) {
        self.average = average
        self.peak = peak
        self.burst = burst
      }
    }

    public let inbound: Direction?
    public let outbound: Direction?

    public init(inbound: Direction?, outbound: Direction?) {
      self.inbound = inbound
      self.outbound = outbound
    }
  }

  public init() {}

  /// The VM's name: the domain's, or what it was made with.
  public var machineName: String? { bound?.name ?? machine }

  /// Whether a NIC of these settings would have to be started with other options than one of `other`.
  public func startsDifferently(from other: NICSettings) -> Bool {
    uplink != other.uplink || bridge != other.bridge || queuePairs != other.queuePairs || mtu != other.mtu
      || mode != other.mode || macAddress != other.macAddress
  }

  /// In which of these it would differ, for people.
  public func differences(from other: NICSettings) -> String {
    let differing = [
      ("uplink", uplink != other.uplink), ("bridge", bridge != other.bridge),
      ("queues", queuePairs != other.queuePairs),
      ("mtu", mtu != other.mtu), ("mode", mode != other.mode), ("mac", macAddress != other.macAddress),
    ]
    return differing.filter(\.1).map(\.0).joined(separator: ", ")
  }

  public var json: JSONValue {
    var members: [JSONValue.Member] = [.init("origin", .string(origin.rawValue))]
    func add(_ key: String, _ value: JSONValue?) {
      if let value { members.append(.init(key, value)) }
    }
    add("user", user.map { .integer(Int($0)) })
    add("vm", machine.map { .string($0) })
    add("uuid", uuid.map { .string($0) })
    add("mac", macAddress.map { .string($0) })
    add("alias", alias.map { .string($0) })
    add("groups", groups.isEmpty ? nil : .array(groups.map { .string($0) }))
    add("vmClass", machineClass.map { .string($0) })
    add("class", nicClass.map { .string($0) })
    add("settings", inline.isEmpty ? nil : .object(inline.map { .init($0.key, .string($0.value)) }))
    add("bandwidth", bandwidth.map(Self.json))
    add("uplink", uplink.map { .string($0) })
    add("bridge", bridge.map { .string($0) })
    add("queues", queuePairs.map { .integer($0) })
    add("mtu", mtu.map { .integer($0) })
    add("mode", mode.map { .string($0) })
    add("domain", bound?.json)
    return .object(members)
  }

  private static func json(_ bandwidth: Bandwidth) -> JSONValue {
    func direction(_ value: Bandwidth.Direction) -> JSONValue {
      let parts = [("average", value.average), ("peak", value.peak), ("burst", value.burst)]
      return .object(parts.compactMap { name, number in number.map { .init(name, .integer($0)) } })
    }
    let parts = [("inbound", bandwidth.inbound), ("outbound", bandwidth.outbound)]
    return .object(parts.compactMap { name, value in value.map { .init(name, direction($0)) } })
  }
}
