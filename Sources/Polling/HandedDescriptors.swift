// SPDX-License-Identifier: Apache-2.0

import CLinux

/// The descriptors that whoever started the program handed in with names: `LISTEN_FDS`, `LISTEN_FDNAMES` and `LISTEN_PID`
/// (sd_listen_fds(3)), sockets of a socket unit and what a predecessor gave into keeping (`DescriptorKeeper`) alike.
public struct HandedDescriptors {
  /// The first of them is 3, the others follow.
  private static let first: Int32 = 3
  /// More than a NIC of any size gives into keeping.
  private static let most: Int32 = 8192

  private var descriptors: [String: [OwnedDescriptor]] = [:]

  /// Nothing.
  public init() {}

  /// Numbers and names as the environment has them; the variables are gone afterwards. `LISTEN_PID` is compared if it is there:
  /// the variables may be a parent's.
  public static func inEnvironment() -> [(name: String, number: Int32)] {
    let process = Environment.take("LISTEN_PID")
    let count = Environment.take("LISTEN_FDS")
    let names = Environment.take("LISTEN_FDNAMES")
    _ = Environment.take("LISTEN_PIDFDID")
    guard process == nil || process == "\(Process.identifier)" else { return [] }
    return named(count: count, names: names)
  }

  /// What is said by the values of `LISTEN_FDS` and `LISTEN_FDNAMES`.
  static func named(count: String?, names: String?) -> [(name: String, number: Int32)] {
    guard let count = count.flatMap({ Int32($0) }), (1...most).contains(count) else { return [] }
    let names = names?.split(separator: ":", omittingEmptySubsequences: false).map(String.init) ?? []
    return (0..<count).map { index in
      (Int(index) < names.count ? names[Int(index)] : "unknown", first + index)
    }
  }

  /// Takes over descriptors that are open; those that are not are left out.
  public init(_ named: [(name: String, number: Int32)]) {
    for (name, number) in named where Process.isOpen(number) {
      _ = vtcp_set_close_on_exec(number)
      descriptors[name, default: []].append(OwnedDescriptor(number))
    }
  }

  public var isEmpty: Bool { descriptors.isEmpty }

  /// All names, sorted.
  public var names: [String] { descriptors.keys.sorted() }

  /// The descriptor of that name, once; nil: there is none, or there are several, and nobody knows which is meant.
  public mutating func take(_ name: String) -> OwnedDescriptor? {
    guard let found = descriptors.removeValue(forKey: name), found.count == 1 else { return nil }
    return found[0]
  }

  /// Whether there is exactly one of that name.
  public func has(_ name: String) -> Bool { descriptors[name]?.count == 1 }

  /// All of a name: it alone, or NAME-0, NAME-1 and so on; empty: there is none.
  public mutating func takeAll(_ name: String) -> [OwnedDescriptor] {
    if let one = take(name) { return [one] }
    var found: [OwnedDescriptor] = []
    while let next = take("\(name)-\(found.count)") { found.append(next) }
    return found
  }
}
