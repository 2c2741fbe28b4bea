// SPDX-License-Identifier: Apache-2.0

import Datapath
import LargeSend
import Polling
import Sandbox
import Uplinks
import TCPPolicy
import VTCP
import Wire

/// The command line. Stable: what is accepted here stays accepted.
struct Options {
  /// What to do instead of running a NIC.
  enum Question {
    case help
    case version
    case capabilities
    case statistics(path: String)
    /// Of one that runs and listens at the control socket.
    case status
    case setPolicy(file: String)
    case setLargeSend(LargeSendSetting)
  }

  static let maximumQueuePairs = 64

  var role: SocketRole?
  var uplink: UplinkSpecification?
  var queuePairs = 1
  var mtu: Int?
  var macAddress: MACAddress?
  var poll = BusyPoll.Mode.adaptive
  var acceleration = AccelerationMode.off
  /// Whether connections are accelerated that gain nothing by it.
  var acceleratesAlways = false
  var policyFile: String?
  var statisticsFile: String?
  var controlSocket: String?
  var printsJSON = false
  var largeSend = LargeSendSetting.off
  var stateDescriptor: Int32?
  var user: String?
  var offersDeviceState = true
  var sandbox = Sandbox.Mode.auto
  var filter = Sandbox.Filter.kill
  var logLevel = Log.Level.info
  /// What the NIC is called in the log.
  var name: String?
  var question: Question?

  /// `arguments` without the program's name.
  init(parsing arguments: [String]) throws(OptionsError) {
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      switch argument {
      case "--help", "-h": question = question ?? .help
      case "--version": question = question ?? .version
      case "--print-capabilities": question = question ?? .capabilities
      case "--json": printsJSON = true
      case "--status": question = question ?? .status
      default:
        let (name, value) = try Self.option(argument, &rest)
        try set(name, value)
      }
    }
    try checkQuestion()
    guard question == nil else { return }
    guard !printsJSON else { throw OptionsError("--json is for --stats=PATH") }
    guard role != nil else {
      throw OptionsError(
        "say where the vhost-user socket is: --socket-path=PATH to listen, --connect=PATH if QEMU listens, or --fd=N")
    }
    guard uplink != nil else {
      throw OptionsError("say where frames go: --uplink tap:NAME, packet:IFNAME, fd:N or null")
    }
    guard policyFile == nil || acceleration != .off else {
      throw OptionsError("--policy is about connections that are accelerated; add --vtcp snoop or --vtcp early")
    }
    guard statisticsFile == nil || acceleration != .off else {
      throw OptionsError("--stats-file is about connections that are accelerated; add --vtcp snoop or --vtcp early")
    }
  }

  private func checkQuestion() throws(OptionsError) {
    switch question {
    case .status where controlSocket == nil:
      throw OptionsError("--status is about another vtcp-nic: say which by --control-socket=PATH")
    case .setPolicy where controlSocket == nil:
      throw OptionsError("--set-policy is for another vtcp-nic: say which by --control-socket=PATH")
    case .setLargeSend where controlSocket == nil:
      throw OptionsError("--set-large-send is for another vtcp-nic: say which by --control-socket=PATH")
    default: break
    }
  }

  /// Names of descriptors that are there besides, and stand in for those of options.
  private var replacements: Set<String> = []

  /// What was handed in by name (LISTEN_FDS) stands in for what options say by number. No number may be both.
  mutating func replace(by named: [(name: String, number: Int32)]) throws(OptionsError) {
    replacements = Set(named.map(\.name).filter { name in named.count { $0.name == name } == 1 })
    if Succession.hasState(replacements) { stateDescriptor = nil }
    for (option, number) in descriptors {
      guard let twice = named.first(where: { $0.number == number }) else { continue }
      throw OptionsError(
        "\(option): descriptor \(number) is '\(twice.name)' of LISTEN_FDNAMES too; hand it in one way or the other")
    }
    if case .descriptor? = role, Succession.hasSocket(replacements) { role = .handed }
  }

  /// The descriptors that were handed in, each with its option's name.
  var descriptors: [(String, Int32)] {
    var descriptors: [(String, Int32)] = []
    if case .descriptor(let number)? = role { descriptors.append(("--fd", number)) }
    if case .descriptor(let number)? = uplink, !Succession.hasUplink(replacements) {
      descriptors.append(("--uplink", number))
    }
    if let stateDescriptor { descriptors.append(("--state-fd", stateDescriptor)) }
    return descriptors
  }

  /// What can be seen to fail before anything is opened.
  func checkHost() throws(OptionsError) {
    for (name, number) in descriptors where !Process.isOpen(number) {
      throw OptionsError("\(name): descriptor \(number) is not open; the program that starts vtcp-nic must leave it so")
    }
    _ = try identity()
  }

  /// Who to become; nil: stay.
  func identity() throws(OptionsError) -> Identity? {
    guard let user else { return nil }
    do throws(SandboxError) { return try Identity(named: user) } catch { throw OptionsError("--user: \(error)") }
  }

  private static let names = [
    "--socket-path", "--connect", "--fd", "--uplink", "--queues", "--mtu", "--mac", "--poll", "--vtcp", "--policy",
    "--stats-file", "--stats", "--control-socket", "--set-policy", "--large-send", "--set-large-send", "--state-fd",
    "--user", "--device-state", "--sandbox", "--seccomp", "--log-level", "--name",
  ]

  /// An option's name and value: `--name=value` or `--name value`.
  private static func option(
    _ argument: String, _ rest: inout ArraySlice<String>
  ) throws(OptionsError) -> (String, String) {
    guard argument.hasPrefix("--") else {
      throw OptionsError("'\(argument)' is not an option; options begin with --, see --help")
    }
    let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0])
    guard names.contains(name) else {
      let hint = NearestWord.of(name, in: names).map { "; did you mean \($0)?" } ?? ", see --help"
      throw OptionsError("there is no option \(name)\(hint)")
    }
    if parts.count == 2 {
      guard !parts[1].isEmpty else { throw OptionsError("\(name) needs a value after the = sign") }
      return (name, String(parts[1]))
    }
    guard let value = rest.first, !value.hasPrefix("--") else {
      throw OptionsError("\(name) needs a value: \(name)=VALUE")
    }
    rest.removeFirst()
    return (name, value)
  }

  private mutating func set(_ option: String, _ value: String) throws(OptionsError) {
    switch option {
    case "--socket-path": try setRole(.listen(path: value))
    case "--connect": try setRole(.connect(path: value))
    case "--fd": try setRole(.descriptor(Self.descriptor(option, value)))
    case "--uplink":
      do throws(UplinkError) { uplink = try UplinkSpecification(parsing: value) } catch {
        throw OptionsError("--uplink: \(error)")
      }
    case "--queues": queuePairs = try Self.number(option, value, 1...Self.maximumQueuePairs)
    case "--mtu": mtu = try Self.number(option, value, 68...65535)
    case "--mac":
      do throws(WireError) { macAddress = try MACAddress(parsing: value) } catch {
        throw OptionsError("--mac: \(error)")
      }
      guard macAddress?.isMulticast == false else {
        throw OptionsError("--mac: \(value) is a group's address; a NIC's own has an even first octet")
      }
    case "--poll":
      guard let mode = BusyPoll.Mode(rawValue: value) else {
        throw OptionsError("--poll is adaptive, never or always, not '\(value)'")
      }
      poll = mode
    case "--vtcp":
      let words = value.split(separator: ",", omittingEmptySubsequences: false)
      acceleratesAlways = words.count == 2 && words[1] == "always"
      switch words[0] {
      case "off" where words.count == 1: acceleration = .off
      case "limit" where words.count == 1: acceleration = .limit
      case "snoop" where words.count == 1 || acceleratesAlways: acceleration = .snoop
      case "early" where words.count == 1 || acceleratesAlways: acceleration = .early
      default: throw OptionsError("--vtcp is off, limit, snoop[,always] or early[,always], not '\(value)'")
      }
    case "--policy": policyFile = value
    case "--stats-file": statisticsFile = value
    case "--control-socket": controlSocket = value
    case "--set-policy": question = question ?? .setPolicy(file: value)
    case "--large-send": largeSend = try Self.largeSend(option, value)
    case "--set-large-send":
      let setting = try Self.largeSend(option, value)
      question = question ?? .setLargeSend(setting)
    case "--stats": question = question ?? .statistics(path: value)
    case "--state-fd": stateDescriptor = try Self.descriptor(option, value)
    case "--user": user = value
    case "--device-state":
      guard value == "on" || value == "off" else {
        throw OptionsError("--device-state is on or off, not '\(value)'")
      }
      offersDeviceState = value == "on"
    case "--sandbox":
      guard let mode = Sandbox.Mode(rawValue: value) else {
        throw OptionsError("--sandbox is auto, on or off, not '\(value)'")
      }
      sandbox = mode
    case "--seccomp":
      guard let action = Sandbox.Filter(rawValue: value) else {
        throw OptionsError("--seccomp is kill, log or off, not '\(value)'")
      }
      filter = action
    case "--log-level":
      guard let level = Log.Level(named: value) else {
        throw OptionsError("--log-level is error, warning, info or debug, not '\(value)'")
      }
      logLevel = level
    case "--name":
      guard (1...64).contains(value.utf8.count), value.utf8.allSatisfy({ (0x21..<0x7f).contains($0) }) else {
        throw OptionsError("--name has 1 to 64 printable characters of ASCII, and no blanks, unlike '\(value)'")
      }
      name = value
    default: throw OptionsError("there is no option \(option), see --help")
    }
  }

  private mutating func setRole(_ wanted: SocketRole) throws(OptionsError) {
    guard role == nil else {
      throw OptionsError("give only one of --socket-path, --connect and --fd: a NIC has one vhost-user socket")
    }
    role = wanted
  }

  private static func number(
    _ name: String, _ value: String, _ range: ClosedRange<Int>
  ) throws(OptionsError) -> Int {
    guard let number = Int(value), range.contains(number) else {
      throw OptionsError("\(name) is a number from \(range.lowerBound) to \(range.upperBound), not '\(value)'")
    }
    return number
  }

  private static func largeSend(_ name: String, _ value: String) throws(OptionsError) -> LargeSendSetting {
    guard let setting = LargeSendSetting(parsing: value) else {
      throw OptionsError("\(name) is \(LargeSendSetting.choices), not '\(value)'")
    }
    return setting
  }

  private static func descriptor(_ name: String, _ value: String) throws(OptionsError) -> Int32 {
    guard let number = Int32(value), number > 2 else {
      throw OptionsError("\(name) is the number of an open file descriptor above 2, not '\(value)'")
    }
    return number
  }
}
