// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A recorded session of a real QEMU, to be played against another back-end.
///
/// Two forms of recording are understood: one line per message in both directions (`Q>B GET_FEATURES fl=1 len=0 fds=0`)
/// and one line per message of the front-end (`GET_FEATURES flags=0x1 size=0 fds=0`). The front-end's messages are sent
/// as recorded but for what names the recorded machine: descriptors are fresh ones, memory regions and rings lie in our
/// guest's memory, and features are limited to what the back-end offers, as QEMU would have limited them.
public struct TraceReplay: Sendable {
  public struct Step: Sendable {
    public var request: Request
    public var flags: UInt32
    public var size: Int
    public var descriptorCount: Int
    /// A single number: features, a status, an MTU, a vring index.
    public var number: UInt64?
    /// A vring's index and number.
    public var state: (index: UInt32, number: UInt32)?
    /// The line, for messages of failure.
    public var line: String
  }

  public let steps: [Step]

  /// Parses a recording; lines that are no message of the front-end are skipped.
  public init(parsing text: String) throws {
    steps = try text.split(separator: "\n").compactMap { try TraceReplay.step(String($0)) }
    guard !steps.isEmpty else { throw TestFailure("no message in the recording") }
  }

  static let names: [String: Request] = [
    "GET_FEATURES": .getFeatures, "SET_FEATURES": .setFeatures, "SET_OWNER": .setOwner, "RESET_OWNER": .resetOwner,
    "SET_MEM_TABLE": .setMemoryTable, "SET_LOG_BASE": .setLogBase, "SET_LOG_FD": .setLogDescriptor,
    "SET_VRING_NUM": .setVringNumber, "SET_VRING_ADDR": .setVringAddress, "SET_VRING_BASE": .setVringBase,
    "GET_VRING_BASE": .getVringBase, "SET_VRING_KICK": .setVringKick, "SET_VRING_CALL": .setVringCall,
    "SET_VRING_ERR": .setVringError, "GET_PROTOCOL_FEATURES": .getProtocolFeatures,
    "SET_PROTOCOL_FEATURES": .setProtocolFeatures, "GET_QUEUE_NUM": .getQueueNumber,
    "SET_VRING_ENABLE": .setVringEnable, "SEND_RARP": .sendRARP, "NET_SET_MTU": .netSetMTU,
    "SET_BACKEND_REQ_FD": .setBackEndChannel, "RESET_DEVICE": .resetDevice,
    "GET_MAX_MEM_SLOTS": .getMaximumMemorySlots, "ADD_MEM_REG": .addMemoryRegion, "REM_MEM_REG": .removeMemoryRegion,
    "SET_STATUS": .setStatus, "GET_STATUS": .getStatus, "SET_DEVICE_STATE_FD": .setDeviceState,
    "CHECK_DEVICE_STATE": .checkDeviceState,
  ]

  private static func step(_ line: String) throws -> Step? {
    var words = line.split(separator: " ").map(String.init)
    guard !words.isEmpty, Double(words[0]) != nil else { return nil }
    words.removeFirst()
    switch words.first {
    case "Q>B": words.removeFirst()
    case "B>Q", "---", "EOF", nil: return nil
    default: break
    }
    guard let request = names[words[0]] else { throw TestFailure("unknown message: \(line)") }
    var step = Step(request: request, flags: 1, size: 0, descriptorCount: 0, line: line)
    var fields: [String: UInt64] = [:]
    for word in words.dropFirst() {
      let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
      if parts.count == 2, let value = number(parts[1]) { fields[parts[0]] = value }
      if parts.count == 1, step.number == nil { step.number = number(word) }
    }
    step.flags = UInt32(fields["fl"] ?? fields["flags"] ?? 1)
    step.size = Int(fields["len"] ?? fields["size"] ?? 0)
    // SET_VRING_ADDR and the region messages have a field "flags" or "size" of their own, after the header's.
    if request == .setVringAddress { step.flags = UInt32(headerField("fl", "flags", words) ?? 1) }
    if request == .addMemoryRegion { step.size = 40 }
    step.descriptorCount = Int(fields["fds"] ?? 0)
    step.number = step.number ?? fields["u64"]
    if let index = fields["idx"] { step.state = (UInt32(index), UInt32(fields["num"] ?? 0)) }
    if let open = line.firstIndex(of: "("), let close = line.firstIndex(of: ")") {
      let pair = line[line.index(after: open)..<close].split(separator: ",").compactMap {
        UInt32($0.trimmingCharacters(in: .whitespaces))
      }
      if pair.count == 2 { step.state = (pair[0], pair[1]) }
    }
    return step
  }

  private static func headerField(_ short: String, _ long: String, _ words: [String]) -> UInt64? {
    for word in words where word.hasPrefix(short + "=") || word.hasPrefix(long + "=") {
      return number(String(word.drop { $0 != "=" }.dropFirst()))
    }
    return nil
  }

  private static func number(_ word: String) -> UInt64? {
    word.hasPrefix("0x") ? UInt64(word.dropFirst(2), radix: 16) : UInt64(word)
  }
}
