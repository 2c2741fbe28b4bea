// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
import HostService
import HostSystem
import Polling

/// The NICs as they are kept on disk, a file for each: what a service that was started anew is to look after.
struct PortFiles {
  private static let longest = 65_536

  let paths: RunPaths

  /// Throws one sentence about the first thing that can't be read; a NIC that is not understood is told to `log` and left alone.
  func load(_ log: Log) throws(SystemError) -> [(NICName, NICSettings)] {
    var ports: [(NICName, NICSettings)] = []
    for file in try HostFile.list(paths.portsDirectory) where file.hasSuffix(".json") {
      let path = "\(paths.portsDirectory)/\(file)"
      do {
        let name = try NICName(String(file.dropLast(".json".count)))
        try paths.check(name)
        let octets = try HostFile.read(path, limit: Self.longest)
        ports.append((name, try NICSettings(reading: octets, file: path, isStored: true)))
      } catch {
        log.error("\(path): is left alone: \(error)")
      }
    }
    return ports
  }

  func save(_ name: NICName, _ settings: NICSettings) throws(SystemError) {
    let octets = Array((settings.json.text + "\n").utf8)
    try HostFile.write(paths.port(name), octets, access: FileAccess(mode: 0o600), isDurable: true)
  }

  func remove(_ name: NICName) throws(SystemError) {
    try HostFile.remove(paths.port(name))
  }
}
