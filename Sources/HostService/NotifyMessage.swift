// SPDX-License-Identifier: Apache-2.0

/// What a NIC says of itself, in systemd's language (sd_notify(3)): lines of `NAME=VALUE`. What is not known is left out, as systemd does.
public struct NotifyMessage: Equatable, Sendable {
  /// FDSTORE and FDSTOREREMOVE.
  public enum Keeping: Equatable, Sendable {
    case nothing
    /// The descriptors that came with it, by `name`.
    case store
    /// What is kept by `name`.
    case remove
  }

  public private(set) var isReady = false
  public private(set) var isStopping = false
  public private(set) var status: String?
  public private(set) var keeping = Keeping.nothing
  /// As FDNAME says; systemd's word for none is `stored`.
  public private(set) var name = "stored"

  /// systemd's limit for a descriptor's name.
  public static let longestName = 255
  private static let longestStatus = 512

  public init(parsing bytes: some Sequence<UInt8>) {
    for line in String(decoding: Array(bytes), as: UTF8.self).split(separator: "\n") {
      let halves = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard halves.count == 2 else { continue }
      switch (halves[0], halves[1]) {
      case ("READY", "1"): isReady = true
      case ("STOPPING", "1"): isStopping = true
      case ("STATUS", let text): status = Self.printable(text)
      case ("FDSTORE", "1"): keeping = .store
      case ("FDSTOREREMOVE", "1"): keeping = .remove
      case ("FDNAME", let text) where Self.isName(text): name = String(text)
      default: break
      }
    }
  }

  /// systemd's rule: ASCII that can be printed, and no colon, which stands between names.
  private static func isName(_ text: Substring) -> Bool {
    !text.isEmpty && text.utf8.count <= longestName
      && text.utf8.allSatisfy { $0 > 0x1F && $0 < 0x7F && $0 != UInt8(ascii: ":") }
  }

  /// It goes into logs and answers.
  private static func printable(_ text: Substring) -> String {
    String(text.unicodeScalars.prefix(longestStatus).map { $0.value < 0x20 || $0.value == 0x7F ? "?" : Character($0) })
  }
}
