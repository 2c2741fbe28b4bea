// SPDX-License-Identifier: Apache-2.0

/// Offsets of fields in the TCP header, RFC 9293 §3.1.
public enum TCPField {
  public static let sourcePort = 0
  public static let destinationPort = 2
  public static let sequenceNumber = 4
  public static let acknowledgmentNumber = 8
  /// Data offset, reserved bits and control bits (`TCPFlags`): one 16-bit word.
  public static let control = 12
  public static let window = 14
  public static let checksum = 16
  public static let urgentPointer = 18
  public static let options = 20
}
