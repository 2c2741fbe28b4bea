// SPDX-License-Identifier: Apache-2.0

public import Timekeeping

// The table of `vtcp-nic --stats`: the VM, then its connections, each with a line for each leg in the words of `ss -i`.

extension MonitorSnapshot {
  /// - Parameters:
  ///   - isRunning: whether the process that wrote it still runs.
  ///   - now: CLOCK_MONOTONIC.
  public func text(isRunning: Bool, now: Instant) -> String {
    var lines = head(isRunning: isRunning, now: now)
    lines.append("")
    lines += totals()
    lines.append("")
    lines += distributions()
    // With one class all is said above.
    if classes.count > 1 {
      lines.append("")
      lines += classes.flatMap(\.text)
    }
    for flow in flows {
      lines.append("")
      lines += text(flow, now)
    }
    if unreadable > 0 { lines += ["", "\(unreadable) connections could not be read: they were being written"] }
    return lines.joined(separator: "\n") + "\n"
  }

  private func head(isRunning: Bool, now: Instant) -> [String] {
    let mode = MonitorWords.word(identity.mode, of: MonitorWords.modes)
    let running = isRunning ? "up \(Self.age(of: identity.started, now))" : "has ended"
    let held = Int(heldChunks).multipliedReportingOverflow(by: Int(chunkBytes)).partialValue
    let limit = Int(chunkLimit).multipliedReportingOverflow(by: Int(chunkBytes)).partialValue
    let rates = [("transmit", transmitRate), ("receive", receiveRate)].filter { $0.1 > 0 }
    let shape = rates.map { "\($0.0) \(NumberText.rate($0.1))" }.joined(separator: ", ")
    return [
      "vtcp-nic \(identity.process), \(running): vtcp \(mode), uplink \(identity.uplink), socket \(identity.socket)",
      "\(flowCount) connections of at most \(flowLimit); \(NumberText.octets(held)) of \(NumberText.octets(limit)) in buffers"
        + (shape.isEmpty ? "" : "; at most \(shape)"),
      MonitorCounter.allCases.map { "\($0.name):\(self[$0])" }.joined(separator: " "),
    ]
  }

  private func totals() -> [String] {
    [false, true].map { isNetwork in
      let words = LegCounter.allCases.map { "\($0.word):\(total($0, isNetwork: isNetwork))" }
      return NumberText.left(isNetwork ? "network" : "guest", 8) + words.joined(separator: " ")
    }
  }

  private func distributions() -> [String] {
    let titles = ["count", "p50", "p90", "p99"].map { NumberText.right($0, 10) }.joined()
    return [NumberText.left("", 20) + titles]
      + MonitorHistogram.allCases.map { kind in
        let histogram = self[kind]
        let values = [50.0, 90, 99].map { percent -> String in
          guard let value = histogram.percentile(percent) else { return "-" }
          return kind.isTime ? NumberText.span(microseconds: value) : NumberText.octets(value)
        }
        return NumberText.left(kind.title, 20)
          + (["\(histogram.count)"] + values).map { NumberText.right($0, 10) }.joined()
      }
  }

  private func text(_ flow: FlowReport, _ now: Instant) -> [String] {
    var facts = [MonitorWords.word(flow.phase &- 1, of: MonitorWords.phases)]
    if flow.passReason != 0 {
      facts.append("untouched: \(MonitorWords.word(flow.passReason, of: MonitorWords.passReasons))")
    }
    if flow.vlan != 0 { facts.append("vlan \(flow.vlanText)") }
    if flow.virtualNetwork != 0 { facts.append("vni \(flow.virtualNetwork - 1)") }
    if flow.configuration != 0 { facts.append("configuration \(flow.configuration)") }
    if flow.classNumber != 0 {
      let name = classes.first { $0.number == flow.classNumber }?.name
      facts.append("class \(name ?? "\(flow.classNumber)")")
    }
    facts.append("opened by \(MonitorWords.word(flow.opener, of: MonitorWords.legs))")
    facts.append("age \(Self.age(of: began(flow), now))")
    facts.append("idle \(Self.age(of: Instant(nanoseconds: Int64(clamping: flow.lastSeen)), now))")
    return [
      "\(flow.guestText) \(flow.networkText) \(facts.joined(separator: ", "))",
      "  guest   \(flow.guest.text)",
      "  network \(flow.network.text)",
    ]
  }

  func began(_ flow: FlowReport) -> Instant { identity.started + .seconds(Int64(flow.began)) }

  static func age(of instant: Instant, _ now: Instant) -> String {
    NumberText.span(microseconds: max(0, Int((now - instant).nanoseconds / 1000)))
  }
}

extension ClassReport {
  /// A line for the class and one for each leg, numbers of 0 left out.
  var text: [String] {
    func leg(_ title: String, _ octets: UInt64, isNetwork: Bool) -> String? {
      let numbers =
        [("bytes_acked", octets)] + LegCounter.allCases.map { ($0.word, total($0, isNetwork: isNetwork)) }
      let words = numbers.filter { $0.1 != 0 }.map { "\($0.0):\($0.1)" }
      return words.isEmpty ? nil : "  " + NumberText.left(title, 8) + words.joined(separator: " ")
    }
    return ["class \(name): \(flows) connections"]
      + [leg("guest", delivered.guest, isNetwork: false), leg("network", delivered.network, isNetwork: true)]
      .compactMap { $0 }
  }
}

extension FlowReport {
  var guestText: String {
    AddressText.endpoint(high: guestAddressHigh, low: guestAddressLow, port: guestPort, ipVersion: ipVersion)
  }

  var networkText: String {
    AddressText.endpoint(high: networkAddressHigh, low: networkAddressLow, port: networkPort, ipVersion: ipVersion)
  }

  /// Outer, then inner.
  var vlans: [UInt32] { Array([vlan >> 12 & 0xfff, vlan & 0xfff].prefix(Int(min(vlan >> 24, 2)))) }
  var vlanText: String { vlans.map { "\($0)" }.joined(separator: ".") }
}

extension LegReport {
  /// Words and numbers, those of 0 left out as `ss` does.
  var text: String {
    var words = [MonitorWords.word(state, of: MonitorWords.states)]
    if reason != 0 { words.append("reason:\(MonitorWords.word(reason, of: MonitorWords.reasons))") }
    if congestionPhase != 0 {
      words.append("ca_state:\(MonitorWords.word(congestionPhase, of: MonitorWords.congestionPhases))")
    }
    if smoothedRoundTrip != 0 {
      let variation = NumberText.milliseconds(roundTripVariation)
      words.append("rtt:\(NumberText.milliseconds(smoothedRoundTrip))/\(variation)")
      words.append("minrtt:\(NumberText.milliseconds(minimumRoundTrip))")
    }
    let size = UInt32(max(segmentSize, 1))
    var numbers: [(String, UInt64)] = [
      ("mss", UInt64(segmentSize)), ("cwnd", UInt64(congestionWindow / size)),
      ("ssthresh", hasThreshold ? UInt64(slowStartThreshold / size) : 0), ("bytes_acked", delivered),
      ("unacked", UInt64(inFlight / size) + (inFlight % size > 0 ? 1 : 0)), ("snd_wnd", UInt64(window)),
      ("held", UInt64(held)), ("owned", UInt64(owned)),
    ]
    numbers += LegCounter.allCases.map { ($0.word, UInt64(self[$0])) }
    words += numbers.filter { $0.1 != 0 }.map { "\($0.0):\($0.1)" }
    return words.joined(separator: " ")
  }

  /// A window grows without bound in slow start until there is a loss: then the threshold says something.
  var hasThreshold: Bool { slowStartThreshold != 0 && slowStartThreshold < 1 << 30 }
}
