// SPDX-License-Identifier: Apache-2.0

public import Timekeeping

// The object of `vtcp-nic --stats --json`. Stable: members may be added, none changes its meaning (docs/monitoring.md).

extension MonitorSnapshot {
  /// As `text(isRunning:now:)`, on one line.
  public func json(isRunning: Bool, now: Instant) -> String {
    var object = JSONObject()
    object.add("version", 1)
    object.add("process", process(isRunning: isRunning, now: now))
    var current = JSONObject()
    current.add("flows", flowCount)
    current.add("flow_limit", flowLimit)
    current.add("held_octets", UInt64(heldChunks) * UInt64(chunkBytes))
    current.add("held_octets_limit", UInt64(chunkLimit) * UInt64(chunkBytes))
    for (name, rate) in [("transmit_rate", transmitRate), ("receive_rate", receiveRate)] {
      if rate > 0 { current.add(name, rate) } else { current.addNull(name) }
    }
    object.add("current", current)
    var all = JSONObject()
    for counter in MonitorCounter.allCases { all.add(counter.name, self[counter]) }
    object.add("counters", all)
    for isNetwork in [false, true] {
      var leg = JSONObject()
      for counter in LegCounter.allCases { leg.add(counter.name, total(counter, isNetwork: isNetwork)) }
      object.add(isNetwork ? "network_leg" : "guest_leg", leg)
    }
    var distributions = JSONObject()
    for kind in MonitorHistogram.allCases { distributions.add(kind.name, self[kind].json) }
    object.add("histograms", distributions)
    object.add("classes", values: classes.map(\.json.text))
    object.add("flows", values: flows.map { $0.json(began: began($0), now).text })
    object.add("unreadable", unreadable)
    return object.text + "\n"
  }

  private func process(isRunning: Bool, now: Instant) -> JSONObject {
    var process = JSONObject()
    process.add("pid", identity.process)
    process.add("running", isRunning)
    process.add("uptime_ms", Self.milliseconds(since: identity.started, now))
    process.add("mode", MonitorWords.word(identity.mode, of: MonitorWords.modes))
    process.add("uplink", identity.uplink)
    process.add("socket", identity.socket)
    return process
  }

  static func milliseconds(since instant: Instant, _ now: Instant) -> Int64 {
    max(0, (now - instant).nanoseconds / 1_000_000)
  }
}

extension Histogram {
  var json: JSONObject {
    var object = JSONObject()
    object.add("count", count)
    object.add("sum", sum)
    for (name, percent) in [("p50", 50.0), ("p90", 90), ("p99", 99)] {
      if let value = percentile(percent) { object.add(name, value) } else { object.addNull(name) }
    }
    object.add("buckets", values: filled.map { "[\($0.begin), \($0.count)]" })
    return object
  }
}

extension ClassReport {
  var json: JSONObject {
    var object = JSONObject()
    object.add("class", number)
    object.add("name", name)
    object.add("flows", flows)
    for isNetwork in [false, true] {
      var leg = JSONObject()
      leg.add("delivered", isNetwork ? delivered.network : delivered.guest)
      for counter in LegCounter.allCases { leg.add(counter.name, total(counter, isNetwork: isNetwork)) }
      object.add(isNetwork ? "network_leg" : "guest_leg", leg)
    }
    return object
  }
}

extension FlowReport {
  func json(began: Instant, _ now: Instant) -> JSONObject {
    var object = JSONObject()
    object.add("guest", endpoint(guestAddressHigh, guestAddressLow, guestPort))
    object.add("network", endpoint(networkAddressHigh, networkAddressLow, networkPort))
    object.add("vlans", values: vlans.map { "\($0)" })
    if virtualNetwork == 0 { object.addNull("vni") } else { object.add("vni", virtualNetwork - 1) }
    object.add("phase", MonitorWords.word(phase &- 1, of: MonitorWords.phases))
    object.add("opener", MonitorWords.word(opener, of: MonitorWords.legs))
    object.add("untouched", MonitorWords.word(passReason, of: MonitorWords.passReasons))
    object.add("configuration", configuration)
    object.add("class", classNumber)
    object.add("age_ms", MonitorSnapshot.milliseconds(since: began, now))
    object.add("idle_ms", MonitorSnapshot.milliseconds(since: Instant(nanoseconds: Int64(clamping: lastSeen)), now))
    object.add("guest_leg", guest.json)
    object.add("network_leg", network.json)
    return object
  }

  private func endpoint(_ high: UInt64, _ low: UInt64, _ port: UInt16) -> JSONObject {
    var object = JSONObject()
    object.add("address", AddressText.address(high: high, low: low, ipVersion: ipVersion))
    object.add("port", port)
    return object
  }
}

extension LegReport {
  var json: JSONObject {
    var object = JSONObject()
    object.add("state", MonitorWords.word(state, of: MonitorWords.states))
    object.add("reason", MonitorWords.word(reason, of: MonitorWords.reasons))
    object.add("congestion_phase", MonitorWords.word(congestionPhase, of: MonitorWords.congestionPhases))
    let measured: [(String, UInt32)] = [
      ("round_trip_us", smoothedRoundTrip), ("round_trip_variation_us", roundTripVariation),
      ("minimum_round_trip_us", minimumRoundTrip), ("congestion_window", congestionWindow),
      ("slow_start_threshold", hasThreshold ? slowStartThreshold : 0),
    ]
    for (name, value) in measured {
      if value == 0 { object.addNull(name) } else { object.add(name, value) }
    }
    object.add("segment_size", segmentSize)
    object.add("in_flight", inFlight)
    object.add("window", window)
    object.add("held", held)
    object.add("owned", owned)
    object.add("delivered", delivered)
    for counter in LegCounter.allCases { object.add(counter.name, self[counter]) }
    return object
  }
}
