// SPDX-License-Identifier: Apache-2.0

public import Capture
public import ControlProtocol
import Memory
import Monitoring
import Wire

/// A captured packet as a line of text: when and where, what its headers say, and what was done with it.
public struct PacketLine {
  private let room = ByteRegion.allocate(count: FrameLayout.recommendedHeaderBytes)
  /// Of each direction of the connection by the way it goes: the first sequence number seen, so that the others are short.
  private var starts: [String: UInt32] = [:]
  private static let mostStarts = 4096

  public init() {}

  public func deallocate() { room.deallocate() }

  /// `12:00:01.123456789 guest > 10.0.2.15:43210 93.184.216.34:443 P. seq 1:1449 ack 1 win 502 len 1448 | held: 1448 octets`
  public mutating func text(_ packet: CapturedPacket) -> String {
    let comment = packet.comment.isEmpty ? "" : " | \(packet.comment)"
    let missed = packet.missedBefore > 0 ? "(\(packet.missedBefore) packets were missed)\n" : ""
    return
      "\(missed)\(Self.clock(packet.time)) \(NumberText.left(packet.interfaceName, 7)) \(Self.arrow(packet)) \(headers(packet))\(comment)"
  }

  /// The same as an object.
  public mutating func json(_ packet: CapturedPacket) -> JSONValue {
    .object([
      .init("time_ns", .integer(Int(truncatingIfNeeded: packet.time))), .init("leg", .string(packet.interfaceName)),
      .init("direction", .string(packet.direction == .inbound ? "in" : "out")),
      .init("length", .integer(packet.length)),
      .init("packet", .string(headers(packet))),
      .init("decisions", .array(packet.comment.split(separator: "; ").map { .string(String($0)) })),
      .init("missed_before", .integer(Int(clamping: packet.missedBefore))),
    ])
  }

  /// To the NIC, or from it.
  private static func arrow(_ packet: CapturedPacket) -> String {
    switch packet.direction {
    case .inbound: ">"
    case .outbound: "<"
    case nil: "-"
    }
  }

  /// The time of day, UTC.
  private static func clock(_ time: UInt64) -> String {
    let seconds = time / 1_000_000_000 % 86_400
    func digits(_ number: UInt64, _ count: Int) -> String {
      let text = "\(number)"
      return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
    }
    return
      "\(digits(seconds / 3600, 2)):\(digits(seconds / 60 % 60, 2)):\(digits(seconds % 60, 2)).\(digits(time % 1_000_000_000, 9))"
  }

  private mutating func headers(_ packet: CapturedPacket) -> String {
    let octets = Array(packet.bytes.prefix(room.count))
    let head = room.slice(from: 0, count: octets.count)
    head.copy(from: octets)
    guard let layout = FrameLayout(parsing: head, frameLength: packet.length) else { return "\(packet.length) bytes" }
    // A length of 0 is that of a packet of more than 64 KiB, which only what is to be cut has.
    guard
      let segment = TCPSegment(
        parsing: head, layout: layout, frameLength: packet.length, isLarge: packet.length > 65_535)
    else {
      return "type 0x\(String(layout.etherType, radix: 16)) protocol \(layout.transportProtocol) \(packet.length) bytes"
    }
    let ends = [Endpoint(sourceOf: segment, in: head, layout), Endpoint(destinationOf: segment, in: head, layout)]
      .map {
        AddressText.endpoint(high: $0.addressHigh, low: $0.addressLow, port: $0.port, ipVersion: layout.ipVersion)
      }
    let sequence = relative(segment.sequenceNumber.rawValue, "\(ends[0]) \(ends[1])", segment.flags.contains(.syn))
    var words = [ends[0], ends[1], Self.flags(segment.flags)]
    if segment.sequenceLength > 0 {
      words.append("seq \(sequence):\(sequence &+ UInt32(truncatingIfNeeded: segment.sequenceLength))")
    } else {
      words.append("seq \(sequence)")
    }
    if segment.flags.contains(.ack) {
      words.append("ack \(relative(segment.acknowledgmentNumber.rawValue, "\(ends[1]) \(ends[0])", false))")
    }
    words.append("win \(segment.window)")
    for block in 0..<Int(segment.options.sackBlockCount) {
      let range = segment.options.sackBlock(block, in: head)
      let way = "\(ends[1]) \(ends[0])"
      words.append("sack \(relative(range.start.rawValue, way, false)):\(relative(range.end.rawValue, way, false))")
    }
    words.append("len \(segment.payloadCount)")
    return words.joined(separator: " ")
  }

  /// From the first number that was seen of that way on.
  private mutating func relative(_ number: UInt32, _ way: String, _ isFirst: Bool) -> UInt32 {
    if isFirst || starts[way] == nil {
      if starts.count >= Self.mostStarts { starts = [:] }
      starts[way] = isFirst ? number : number &- 1
    }
    return number &- (starts[way] ?? 0)
  }

  /// As tcpdump writes them.
  private static func flags(_ flags: TCPFlags) -> String {
    let letters: [(TCPFlags, String)] = [
      (.syn, "S"), (.fin, "F"), (.rst, "R"), (.psh, "P"), (.urg, "U"), (.ece, "E"), (.cwr, "W"), (.ae, "e"),
      (.ack, "."),
    ]
    let text = letters.filter { flags.contains($0.0) }.map(\.1).joined()
    return text.isEmpty ? "none" : text
  }
}
