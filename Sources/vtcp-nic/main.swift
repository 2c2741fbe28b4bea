// SPDX-License-Identifier: Apache-2.0

// vtcp-nic: the vhost-user back-end program of one virtual NIC. See docs/theory-of-operation.md.

import Datapath
import Polling
import Sandbox
import Uplinks
import VTCP

/// Opens everything, drops privileges and runs. Returns the exit status: 0, 1 (the system refused something) or 2 (a
/// mistake on the command line).
func run() -> Int32 {
  var log = Log(level: .info, prefix: "vtcp-nic")
  do throws(OptionsError) {
    let options = try Options(parsing: Array(CommandLine.arguments.dropFirst()))
    switch options.question {
    case .help: Log.output(Usage.help)
    case .version: Log.output("vtcp-nic \(Usage.version)\n")
    case .capabilities: Log.output(Usage.capabilities)
    case .statistics(let path): Log.output(try StatisticsReading.text(path: path, asJSON: options.printsJSON))
    case .status: Log.output(try ControlClient(path: options.controlSocket ?? "").status())
    case .setLargeSend(let setting):
      Log.output(try ControlClient(path: options.controlSocket ?? "").setLargeSend(setting))
    case .setPolicy(let file): Log.output(try ControlClient(path: options.controlSocket ?? "").setPolicy(file))
    case nil:
      log = Log(level: options.logLevel, prefix: "vtcp-nic" + (options.name.map { " \($0)" } ?? ""))
      return serve(options, log)
    }
    return 0
  } catch {
    log.error("\(error)")
    return 2
  }
}

func serve(_ options: Options, _ log: Log) -> Int32 {
  let started = MonotonicClock.now()
  var options = options
  guard let role = options.role, let specification = options.uplink else { return 2 }
  do {
    let named = HandedDescriptors.inEnvironment()
    try options.replace(by: named)
    if options.sandbox != .off {
      try Sandbox.closeInherited(except: options.descriptors.map(\.1) + named.map(\.number))
    }
    try options.checkHost()
    var handed = HandedDescriptors(named)
    let names = handed.names
    let manager = try NotifySocket.fromEnvironment()
    let identity = try options.identity()
    var sandbox = Sandbox(
      mode: options.sandbox, filter: options.filter, identity: identity, use: role.use,
      acceptsControl: options.controlSocket != nil, log: log)
    // First: from here on signals come as events, and shortened memory files do not end us.
    let signals = try SignalDescriptor()
    try MemoryGuard.install()
    let queueCount = VirtualNIC.queueCount(queuePairs: options.queuePairs)
    let state = try StateMemory.file(Succession.takeState(&handed), options, queueCount: queueCount)
    let arena = try StateMemory.open(state.rawValue, queueCount: queueCount)
    let resumed = try Uplink.resume(
      specification, queuePairs: options.queuePairs, descriptors: Succession.takeUplink(&handed))
    let uplink = try resumed ?? Uplink.open(specification, queuePairs: options.queuePairs, mtu: options.mtu)
    let succession = Succession(
      handed, state: state, arena: arena, manager: manager, names: names, started: started, log: log)
    // Its own from here on: what nobody wants is closed.
    handed = HandedDescriptors()
    succession.keepUplink(uplink.descriptors, wasHanded: resumed != nil)
    let statistics = try StatisticsFile.make(options, uplink: uplink.name, group: identity?.group)
    let poller = try Poller(maximumEvents: 64)
    let module = try AcceleratorMemory.module(
      options, uplink, statistics, state, behind: StateMemory.byteCount(queueCount: queueCount))
    let nic = try VirtualNIC(
      configuration: VirtualNICConfiguration(
        queuePairs: options.queuePairs, mtu: options.mtu, macAddress: options.macAddress, largeSend: options.largeSend),
      uplink: uplink, arena: arena, module: module, poller: poller, seed: .random(in: 0 ... .max), log: log)
    let server = try Server(
      nic: nic, role: role, queuePairs: options.queuePairs, offersDeviceState: options.offersDeviceState,
      poll: options.poll, poller: poller, signals: signals, succession: succession, log: log)
    server.statistics = statistics
    if let path = options.controlSocket {
      try server.control(
        by: ControlSocket(
          path: path, nic: nic, module: module, fallback: AcceleratorMemory.configuration(options).flow,
          succession: succession, log: log))
    }
    try server.open()
    server.reachablePath = try sandbox.enter()
    server.reachableControl = options.controlSocket.flatMap { sandbox.reachable($0) }
    server.run()
    return 0
  } catch {
    log.error("\(error)")
    return error is OptionsError ? 2 : 1
  }
}

Process.exit(run())
