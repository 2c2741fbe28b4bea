// SPDX-License-Identifier: Apache-2.0

public import ControlProtocol
import Monitoring

/// The numbers of a NIC's statistics under one name each, as `ethtool -S` lists them.
public enum StatisticsList {
  /// A number and its name.
  public struct Entry: Equatable, Sendable {
    public let name: String
    public let value: Int
  }

  /// Parts of the statistics that are numbers of the NIC as a whole, and what stands before their names.
  private static let parts: [(member: String, prefix: String)] = [
    (member: "current", prefix: "current_"), ("counters", ""), ("guest_leg", "guest_"), ("network_leg", "network_"),
  ]

  /// All of them; of distributions the count, the median and the 99th percentile.
  public static func entries(_ statistics: JSONValue) -> [Entry] {
    var entries: [Entry] = []
    for part in parts {
      guard case .object(let members)? = statistics[part.member] else { continue }
      for member in members {
        if let value = member.value.integer { entries.append(Entry(name: part.prefix + member.key, value: value)) }
      }
    }
    guard case .object(let histograms)? = statistics["histograms"] else { return entries }
    for member in histograms {
      for name in ["count", "p50", "p99"] {
        if let value = member.value.optionalNumber(name) {
          entries.append(Entry(name: "\(member.key)_\(name)", value: value))
        }
      }
    }
    return entries
  }

  public static func lines(_ statistics: JSONValue) -> [String] {
    entries(statistics).map { "     \(JSONValue.printable($0.name)): \($0.value)" }
  }

  /// What has changed between two, and by how much; nothing of what rests.
  public static func changes(_ statistics: JSONValue, since before: JSONValue) -> [Entry] {
    var known: [String: Int] = [:]
    for entry in entries(before) { known[entry.name] = entry.value }
    return entries(statistics).compactMap { entry in
      let change = entry.value.subtractingReportingOverflow(known[entry.name] ?? 0).partialValue
      return change == 0 ? nil : Entry(name: entry.name, value: change)
    }
  }

  /// The same as text, with how much that is in a second.
  public static func changeLines(_ statistics: JSONValue, since before: JSONValue, milliseconds: Int) -> [String] {
    changes(statistics, since: before).map { entry in
      let sign = entry.value > 0 ? "+" : ""
      let isLevel = entry.name.hasPrefix("current_") || entry.name.hasSuffix("_p50") || entry.name.hasSuffix("_p99")
      let rate = Int((Double(entry.value) * 1000 / Double(max(1, milliseconds))).rounded())
      return "     \(JSONValue.printable(entry.name)): \(sign)\(entry.value)\(isLevel ? "" : " (\(rate)/s)")"
    }
  }
}
