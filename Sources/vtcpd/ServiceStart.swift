// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
import HostService
import HostSystem
import Polling

/// From the command line to a service that runs.
enum ServiceStart {
  private static let longestConfiguration = 1 << 20
  /// 64 NICs with all that each may keep.
  private static let openFiles = 131_072

  /// What the file and the command line say.
  static func configuration(_ options: ServiceOptions) throws(ServiceError) -> ServiceConfiguration {
    var configuration = ServiceConfiguration()
    let path = options.configurationFile ?? ServiceConfiguration.defaultPath
    let octets: [UInt8]?
    do throws(SystemError) {
      octets = try HostFile.read(path, limit: longestConfiguration)
    } catch {
      // Nobody has said that it must be there.
      guard error.code == SystemError.noSuchFile, options.configurationFile == nil else {
        throw ServiceError(.mistaken, "the configuration: \(error)")
      }
      octets = nil
    }
    if let octets { configuration = try ServiceConfiguration(reading: octets, file: path) }
    options.apply(to: &configuration)
    return configuration
  }

  /// vtcp-nic
  private static func program(_ configuration: ServiceConfiguration) throws(ServiceError) -> String {
    guard let path = configuration.program ?? OwnProcess.programDirectory.map({ $0 + "/vtcp-nic" }) else {
      throw ServiceError(.mistaken, "say where vtcp-nic is: --nic-program=PATH, or nics.program in vtcpd.yaml")
    }
    return path
  }

  static func check(_ options: ServiceOptions) throws {
    let configuration = try Self.configuration(options)
    _ = try Identities(configuration)
    let sources = try PolicyFiles(paths: configuration.paths, places: configuration.policyFiles).sources()
    let warnings = sources.isEmpty ? [] : try PolicyKeeper.check(sources).warnings
    for warning in warnings { Log.output("\(warning)\n") }
    Log.output("the configuration and \(sources.count) files of the policy have no mistakes\n")
  }

  static func serve(_ options: ServiceOptions, _ log: Log) throws {
    let configuration = try Self.configuration(options)
    let program = try Self.program(configuration)
    let identities = try Identities(configuration)
    // First: from here on signals come as events, and shortened statistics do not end us.
    let signals = try SignalDescriptor()
    try MemoryGuard.install()
    let files = try ResourceLimits.raiseOpenFiles(to: openFiles)
    if files < openFiles { log.debug("at most \(files) open files") }
    if let group = identities.nicGroup {
      // Statistics are for a NIC's group to read.
      do throws(SystemError) { try OwnProcess.join(group: group) } catch {
        log.warning("statistics can't be read: \(error)")
      }
    }
    let capabilities = try Capabilities.keep(kept(configuration))
    log.info("capabilities: \(capabilities.have)\(capabilities.isBounded ? "" : " (their bounding set stays)")")
    let manager = ServiceManager()
    try Service(
      configuration: configuration, program: program, identities: identities, signals: signals, manager: manager,
      log: log
    ).run()
  }

  /// What is needed of root's power, and no more (docs/security.md).
  private static func kept(_ configuration: ServiceConfiguration) -> Capabilities {
    var kept: Capabilities = [.networkAdministration, .rawNetwork, .changeOwner, .setCapabilities]
    if configuration.users != nil { kept.formUnion([.setUser, .setGroup, .kill]) }
    return kept
  }
}
