// SPDX-License-Identifier: Apache-2.0

import Arena
import Memory
import Polling
import TCPPolicy
import Timekeeping
import Uplinks
import VTCP

/// The memory of the TCP accelerator, of which only what is used takes room: behind the arena in the same file.
enum AcceleratorMemory {
  /// The module that the options ask for; nil for `--vtcp off`. It goes on with the connections that are in the memory.
  ///
  /// - Parameters:
  ///   - statistics: where it tells others what it does.
  ///   - state: the file.
  ///   - arenaBytes: where in it the accelerator's begins.
  static func module(
    _ options: Options, _ uplink: Uplink, _ statistics: StatisticsFile?, _ state: OwnedDescriptor,
    behind arenaBytes: Int
  ) throws -> VTCPModule? {
    var configuration = configuration(options)
    configuration.seed = .random(in: 0 ... .max)
    let size = VTCPModule.byteCount(configuration)
    guard options.acceleration != .off else {
      try checkUnused(state.rawValue, offset: arenaBytes, size: size)
      return nil
    }
    guard uplink.carriesOffloads else {
      throw OptionsError(
        "--vtcp: the uplink \(uplink.name) carries no virtio headers; use a TAP with vnet_hdr, or --vtcp off")
    }
    let policy = try PolicyFile.classifier(options, fallback: configuration.flow)
    let region = try map(state.rawValue, offset: arenaBytes, size: size)
    do throws(ArenaError) {
      return try VTCPModule(
        over: region, configuration: configuration, policy: policy, creating: !VTCPModule.isPresent(in: region),
        monitor: statistics?.region, now: MonotonicClock.now())
    } catch {
      throw OptionsError("--state-fd: the TCP connections in the memory are another version's; hand in an empty memfd")
    }
  }

  /// What `--vtcp` says of all connections.
  static func configuration(_ options: Options) -> ModuleConfiguration {
    var configuration = ModuleConfiguration()
    configuration.flow.mode = options.acceleration
    if options.acceleratesAlways { configuration.flow.leastRoundTrip = .zero }
    return configuration
  }

  private static func map(_ descriptor: Int32, offset: Int, size: Int) throws(SystemError) -> ByteRegion {
    let end = offset + size
    if try SharedMemory.size(of: descriptor) < end { try SharedMemory.resize(descriptor, to: end) }
    let region = try SharedMemory.map(descriptor, size: size, offset: UInt64(offset))
    try MemoryGuard.protect(region, blockSize: 4096)
    return region
  }

  /// Connections that a module had would lose what their ends were promised.
  private static func checkUnused(_ descriptor: Int32, offset: Int, size: Int) throws {
    guard try SharedMemory.size(of: descriptor) >= offset + size else { return }
    guard VTCPModule.isPresent(in: try SharedMemory.map(descriptor, size: size, offset: UInt64(offset))) else { return }
    throw OptionsError(
      "--state-fd: the memory has TCP connections of --vtcp; start with that, or hand in an empty memfd")
  }
}
