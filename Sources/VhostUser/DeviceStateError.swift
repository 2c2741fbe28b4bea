// SPDX-License-Identifier: Apache-2.0

/// Why a device state is not taken.
public enum DeviceStateError: Error, Equatable, CustomStringConvertible {
  case unknownMagic
  case unknownVersion(UInt32)
  case tooShort
  case tooLong
  case checksum
  case malformed
  /// What the device says of it.
  case refused(String)

  public var description: String {
    switch self {
    case .unknownMagic: "it is not of this program"
    case .unknownVersion(let version): "its version \(version) is not known"
    case .tooShort: "it ends before its end"
    case .tooLong: "it is longer than it says, or than any may be"
    case .checksum: "its checksum is wrong"
    case .malformed: "its sections are malformed"
    case .refused(let why): why
    }
  }
}
