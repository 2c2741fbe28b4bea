// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
import HostService
import HostSystem
import Memory
import Monitoring
import Polling
import TCPPolicy
import Wire

/// What a NIC writes of its connections, read as `vtcp-nic --stats` does: nothing is asked of the NIC.
enum StatisticsAnswer {
  /// JSON on one line.
  static func text(_ nic: SupervisedNIC) throws(ServiceError) -> String {
    guard nic.mode != "off" else {
      throw ServiceError(.notFound, "NIC \(nic.name) accelerates nothing (mode off), and so has no statistics")
    }
    do throws(SystemError) {
      let (snapshot, isRunning) = try read(nic)
      return snapshot.json(isRunning: isRunning, now: MonotonicClock.now())
    } catch {
      throw ServiceError(.unavailable, "NIC \(nic.name): \(error)")
    }
  }

  /// The connections that it has, as policies see them; empty if that can't be read.
  static func flows(_ nic: SupervisedNIC) -> [ConnectionFacts] {
    guard nic.mode != "off", let (snapshot, _) = try? read(nic) else { return [] }
    return snapshot.flows.map { flow in
      ConnectionFacts(
        guest: Endpoint(
          addressHigh: flow.guestAddressHigh, addressLow: flow.guestAddressLow, port: flow.guestPort),
        network: Endpoint(
          addressHigh: flow.networkAddressHigh, addressLow: flow.networkAddressLow, port: flow.networkPort),
        vlan: flow.vlan, virtualNetwork: flow.virtualNetwork, ipVersion: flow.ipVersion,
        opener: flow.opener == 0 ? .guest : .network)
    }
  }

  private static func read(_ nic: SupervisedNIC) throws(SystemError) -> (MonitorSnapshot, isRunning: Bool) {
    let file = try NamedFile.open(path: nic.paths.statistics(nic.name))
    let memory = try NamedFile.mapReadable(file.rawValue, size: try SharedMemory.size(of: file.rawValue))
    defer { SharedMemory.unmap(memory) }
    // It may be cut short while we read.
    try MemoryGuard.protect(memory, blockSize: 4096, isOwn: true)
    defer { MemoryGuard.unprotect(memory) }
    let isRunning = try NamedFile.isClaimed(file.rawValue)
    do throws(MonitorError) {
      return (try MonitorReader(over: memory).snapshot(), isRunning)
    } catch {
      throw SystemError(call: "read the statistics (\(error))", code: 61)
    }
  }
}
