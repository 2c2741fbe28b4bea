// SPDX-License-Identifier: Apache-2.0

import CBench
import Memory
import Polling
import Timekeeping

/// `vtcp-bench round-trip`: how long a small TCP request and its response take, one after the other, between the stacks
/// of two kernels or namespaces.
enum RoundTrip {
  private static let warmUp = 200
  private static let maximum = 1400

  static func run(_ words: some Sequence<String>) throws {
    let arguments = try Arguments(words, options: ["--server", "--client", "--seconds", "--size"])
    switch (arguments["--server"], arguments["--client"]) {
    case (let place?, nil): try serve(place)
    case (nil, let place?):
      try ask(
        place, size: arguments.number("--size", in: 1...maximum, default: 1),
        seconds: arguments.seconds("--seconds") ?? 2)
    default: throw BenchError("either --server ADDRESS:PORT or --client ADDRESS:PORT is needed")
    }
  }

  /// "192.0.2.1:80", "[2001:db8::1]:80"
  private static func split(_ place: String) throws -> (address: String, port: String) {
    guard let colon = place.lastIndex(of: ":") else { throw BenchError("\(place) is not ADDRESS:PORT") }
    let address = place[..<colon].filter { $0 != "[" && $0 != "]" }
    return (String(address), String(place[place.index(after: colon)...]))
  }

  /// Echoes, one client after the other, until it is ended by a signal.
  private static func serve(_ place: String) throws {
    let (address, port) = try split(place)
    let listener = OwnedDescriptor(
      try SystemCalls.check("listen at \(place)", vtcp_bench_tcp_listen(address, port)))
    let buffer = ByteRegion.allocate(count: 65_536)
    defer { buffer.deallocate() }
    Log.output("ready\n")
    while true {
      let client = OwnedDescriptor(try SystemCalls.check("accept", vtcp_bench_tcp_accept(listener.rawValue)))
      while case let count = SystemCalls.receive(client.rawValue, into: buffer), count > 0 {
        guard SystemCalls.send(client.rawValue, buffer.slice(from: 0, count: count)) > 0 else { break }
      }
    }
  }

  private static func ask(_ place: String, size: Int, seconds: Double) throws {
    let (address, port) = try split(place)
    let socket = OwnedDescriptor(
      try SystemCalls.check("connect to \(place)", vtcp_bench_tcp_connect(address, port)))
    let buffer = ByteRegion.allocate(count: size)
    defer { buffer.deallocate() }
    for _ in 0..<warmUp { try exchange(socket.rawValue, buffer) }
    var times: [Int64] = []
    times.reserveCapacity(1 << 20)
    let start = MonotonicClock.now()
    let end = start + Interval(nanoseconds: Int64(seconds * 1e9))
    var last = start
    while last < end {
      try exchange(socket.rawValue, buffer)
      let now = MonotonicClock.now()
      times.append((now - last).nanoseconds)
      last = now
    }
    report(times.sorted(), seconds: Double((last - start).nanoseconds) / 1e9)
  }

  private static func exchange(_ socket: Int32, _ buffer: ByteRegion) throws {
    guard SystemCalls.send(socket, buffer) == buffer.count else { throw BenchError("the server has gone") }
    var received = 0
    while received < buffer.count {
      let part = SystemCalls.receive(socket, into: buffer.suffix(from: received))
      guard part > 0 else { throw BenchError("the server has gone") }
      received += part
    }
  }

  /// `times` are in order and at least one.
  private static func report(_ times: [Int64], seconds: Double) {
    func microseconds(at share: Double) -> Double {
      Double(times[min(Int(Double(times.count) * share), times.count - 1)]) / 1000
    }
    var line = JSONLine()
    line.add("count", times.count)
    line.add("seconds", seconds)
    line.add("p50_us", microseconds(at: 0.5))
    line.add("p90_us", microseconds(at: 0.9))
    line.add("p99_us", microseconds(at: 0.99))
    line.add("max_us", microseconds(at: 1))
    line.print()
  }
}
