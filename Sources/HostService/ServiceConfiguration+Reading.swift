// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
import Timekeeping
import YAMLDocument

extension ServiceConfiguration {
  private static let keys = [
    "apiVersion", "runDirectory", "stateDirectory", "policy", "control", "sockets", "nics", "uplink", "defaults",
    "restart",
  ]

  /// Reads vtcpd.yaml. Throws all mistakes, each with its place.
  public init(reading octets: [UInt8], file: String) throws(ServiceError) {
    let reading = YAMLReader.read(octets)
    var mistakes = MistakeList(file: file)
    for mistake in reading.mistakes { mistakes.add(mistake.mark, mistake.sentence) }
    self.init()
    if let root = reading.root {
      var reader = SettingsReader(root, known: Self.keys, mistakes: mistakes)
      read(&reader)
      mistakes = reader.mistakes
    }
    let count = mistakes.lines.count
    guard count == 0 else {
      throw ServiceError(
        .mistaken, "\(file) has \(count == 1 ? "a mistake" : "\(count) mistakes")", mistakes: mistakes.lines)
    }
  }

  private mutating func read(_ reader: inout SettingsReader) {
    _ = reader.word("apiVersion", of: ["vtcp/v1"])
    let run = reader.path("runDirectory") ?? paths.runDirectory
    paths = RunPaths(runDirectory: run, stateDirectory: reader.path("stateDirectory") ?? paths.stateDirectory)
    if let texts = reader.texts("policy", "a path that begins with a slash") {
      let read = texts.compactMap(SettingsReader.path)
      if read.count < texts.count { reader.fail("policy", "has paths that begin with a slash, and no ..") }
      policyFiles = read
    }
    section(&reader, "control", ["group", "administrators"]) { settings, part in
      settings.controlGroup = part.text("group")
      settings.administrators = part.texts("administrators", "a user's name or number") ?? []
    }
    section(&reader, "sockets", ["group"]) { settings, part in settings.socketGroup = part.text("group") }
    section(
      &reader, "nics", ["program", "users", "group", "memory", "files", "controlGroup", "options"]
    ) { settings, part in settings.readNICs(&part) }
    section(&reader, "uplink", ["default", "bridge"]) { settings, part in
      let forms = "tap:{nic}, packet:NAME, null or none, where {nic} stands for the NIC's name"
      if part.node("default")?.text == "none" {
        settings.uplink = nil
      } else if let read = part.value("default", forms, { UplinkTemplate($0) }) {
        settings.uplink = read
      }
      settings.bridge = part.value("bridge", "the name of a bridge, of at most 15 octets") {
        NICSettings.isInterface($0) ? $0 : nil
      }
    }
    section(&reader, "defaults", ["queues", "mtu", "mode", "poll"]) { settings, part in
      settings.queuePairs = part.number("queues", 1...64) ?? settings.queuePairs
      settings.mtu = part.number("mtu", 68...65_535)
      settings.mode = part.word("mode", of: NICSettings.modes) ?? settings.mode
      settings.poll = part.word("poll", of: NICSettings.polls) ?? settings.poll
    }
    section(&reader, "restart", ["deaths", "stableAfter", "firstDelay", "longestDelay"]) { settings, part in
      settings.restart.deaths = part.number("deaths", 1...1000) ?? settings.restart.deaths
      settings.restart.stableAfter = part.interval("stableAfter") ?? settings.restart.stableAfter
      settings.restart.firstDelay = part.interval("firstDelay") ?? settings.restart.firstDelay
      settings.restart.longestDelay = part.interval("longestDelay") ?? settings.restart.longestDelay
    }
  }

  private mutating func readNICs(_ part: inout SettingsReader) {
    program = part.path("program")
    if part.node("users")?.text != "own" {
      users = part.value(
        "users", "a range of user numbers above 0 such as 64000-64999, or own", UserRange.init(parsing:))
    }
    nicGroup = part.text("group")
    if users != nil, nicGroup == nil {
      part.fail(
        "users",
        "needs nics.group as well: a group of the NICs alone, which may make sockets in nics/ of the run directory")
    }
    memoryLimit = part.octets("memory", (64 << 20)...(1 << 40))
    fileLimit = part.number("files", 256...1_048_576) ?? fileLimit
    controlGroupDirectory = part.path("controlGroup")
    options = part.texts("options", "an option of vtcp-nic") ?? []
    if options.contains(where: { !$0.hasPrefix("--") }) {
      part.fail("options", "has options of vtcp-nic, as --sandbox=on: each with its value behind a =")
    }
  }

  private mutating func section(
    _ reader: inout SettingsReader, _ key: String, _ known: [String],
    _ body: (inout ServiceConfiguration, inout SettingsReader) -> Void
  ) {
    guard let node = reader.node(key) else { return }
    var part = SettingsReader(node, prefix: "\(key).", known: known, mistakes: reader.mistakes)
    body(&self, &part)
    reader.mistakes = part.mistakes
  }
}
