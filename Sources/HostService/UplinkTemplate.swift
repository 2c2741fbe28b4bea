// SPDX-License-Identifier: Apache-2.0

/// Which uplink a NIC gets that does not say: `tap:{nic}`, `packet:eth1` or `null`, where `{nic}` stands for its name.
public struct UplinkTemplate: Equatable, Sendable {
  /// The kernel's IFNAMSIZ less the terminating zero.
  private static let longestInterface = 15
  private static let place = "{nic}"

  public let text: String

  /// Nil: it is none.
  public init?(_ text: String) {
    let example = text.replacing(Self.place, with: "x")
    guard !example.contains("{"), !example.contains("}"), Self.isUplink(example) else { return nil }
    self.text = text
  }

  /// Whether it is an uplink that the service can open: not one that is handed over by number.
  public static func isUplink(_ text: String) -> Bool {
    if text == "null" { return true }
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0] == "tap" || parts[0] == "packet" else { return false }
    let forbidden = parts[1].utf8.contains { $0 <= 0x20 || $0 >= 0x7F || "/:%".utf8.contains($0) }
    return !parts[1].isEmpty && !forbidden && parts[1] != "." && parts[1] != ".."
  }

  /// The uplink of the NIC of that name. An interface's name that would be too long becomes its beginning and six digits of a hash, always the
  /// same ones.
  public func uplink(for name: NICName) -> String {
    let whole = text.replacing(Self.place, with: name.text)
    let parts = whole.split(separator: ":", maxSplits: 1)
    guard parts.count == 2, parts[1].utf8.count > Self.longestInterface else { return whole }
    let digest = SHA256.hexadecimal(of: Array(name.text.utf8)).prefix(6)
    return "\(parts[0]):\(parts[1].prefix(Self.longestInterface - 7))-\(digest)"
  }
}
