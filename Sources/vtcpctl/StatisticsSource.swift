// SPDX-License-Identifier: Apache-2.0

import Administration
import ControlProtocol

/// A NIC's statistics, from wherever they come.
struct StatisticsSource {
  /// Nil: there is only one, and it has none.
  let name: String?
  private let file: StatisticsFileReading?
  private let service: HostService?

  init(name: String?, file: StatisticsFileReading) {
    self.name = name
    self.file = file
    service = nil
  }

  init(name: String, service: HostService) {
    self.name = name
    file = nil
    self.service = service
  }

  func statistics() throws(AdministrationError) -> JSONValue {
    if let file { return try file.statistics() }
    guard let service, let name else { return .null }
    return try service.ask(.get, ["nics", name, "statistics"])
  }
}

extension [StatisticsSource] {
  /// One object with the name and the statistics of each; of a single NIC without a name its statistics alone.
  func json(_ statistics: [JSONValue]) -> JSONValue {
    guard count != 1 || first?.name != nil else { return statistics[0] }
    return .array(
      zip(self, statistics).map { source, value in
        .object([.init("nic", .string(source.name ?? "")), .init("statistics", value)])
      })
  }
}
