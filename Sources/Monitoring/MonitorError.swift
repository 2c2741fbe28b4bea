// SPDX-License-Identifier: Apache-2.0

/// Why there is nothing to be read in some memory.
public enum MonitorError: Error, Equatable, CustomStringConvertible {
  /// It has fewer bytes than a header, or than its header says.
  case tooSmall(has: Int, needs: Int)
  case notOurs
  case otherVersion(UInt32)
  /// The header names places that it does not have.
  case damaged

  public var description: String {
    switch self {
    case .tooSmall(let has, let needs):
      "it has \(has) bytes where a statistics file of vtcp-nic has \(needs) or more; give the path that vtcp-nic was started with "
        + "as --stats-file"
    case .notOurs:
      "it is not a statistics file of vtcp-nic, which begins with vTCPmoni; give the path that vtcp-nic was started with as "
        + "--stats-file"
    case .otherVersion(let version):
      "its layout has version \(version), and this vtcp-nic reads version \(MonitorLayout.version); use the program that wrote it"
    case .damaged:
      "its header can't be right, somebody else has written to it; restart the NIC to have it made again"
    }
  }
}
