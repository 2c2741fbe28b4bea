// SPDX-License-Identifier: Apache-2.0

import TCPPolicy
import Timekeeping
import VTCP

// A connection's life in phases, and in which of them it must be by what its ends know.

extension Schedule {
  /// The policy whose first phase is `flow`, and that shapes as policies do that came after so many others; nil: there are neither phases nor rates.
  func policy(_ flow: FlowConfiguration, change: Int) throws(Broken) -> Classifier? {
    let shaping = shapings.isEmpty ? Shaping() : shapings[change % shapings.count]
    guard !phaseEnds.isEmpty else {
      guard !shapings.isEmpty else { return nil }
      do { return try Classifier(fallback: flow, shaping: shaping) } catch { throw Broken("no policy: \(error)") }
    }
    let all = ([flow] + phaseFlows).enumerated().compactMap { place, flow in
      PolicyName("c\(place)").map { NamedConfiguration(name: $0, configuration: flow) }
    }
    let ends = phaseEnds.map { Optional($0) } + [nil]
    let phases = zip(all, ends).map { PolicyPhase($0.name, until: $1) }
    guard let life = PolicyName("life") else { return nil }
    do {
      return try Classifier(
        rules: [PolicyRule(FlowMatch(), configuration: life)], configurations: all,
        phases: [PolicyPhases(name: life, phases)], fallback: flow, shaping: shaping)
    } catch {
      throw Broken("no policy: \(error)")
    }
  }

  /// The number of the first phase: behind the fallback, the configurations and the two presets.
  var firstPhase: Int { 1 + (phaseEnds.count + 1) + 2 }
}

extension Simulation {
  /// Mode `snoop` is that of the connection, or of a phase of its life.
  var maySnoop: Bool {
    mayBe(.snoop)
  }

  /// The same of a mode in which less of a window may be shown.
  var mayLimit: Bool { mayBe(.snoop) || mayBe(.limit) }

  private func mayBe(_ mode: AccelerationMode) -> Bool {
    moduleConfiguration.flow.mode == mode || schedule.phaseFlows.contains { $0.mode == mode }
  }

  /// Windows are clamped, or may be.
  var mayClamp: Bool {
    moduleConfiguration.flow.overrides.windowClamp > 0 || schedule.phaseFlows.contains { $0.overrides.windowClamp > 0 }
  }

  /// What the NIC's link takes, Ethernet's usual MTU at the most, and no less than what is taken without the option.
  var linkSize: UInt16 {
    let (headers, least) = guest.parameters.isIPv6 ? (60, 1220) : (40, 536)
    return UInt16(max(least, min(schedule.linkMTU, 1500) - headers))
  }

  /// What applies to the connection now.
  func configuration(_ view: FlowView) -> FlowConfiguration {
    let place = Int(view.configuration) - schedule.firstPhase
    guard !schedule.phaseEnds.isEmpty, place > 0, place <= schedule.phaseFlows.count else {
      return moduleConfiguration.flow
    }
    return schedule.phaseFlows[place - 1]
  }

  /// The VM has a rate, or may get one.
  var mayShape: Bool { !schedule.shapings.isEmpty || !schedule.module.shaping.isEmpty }

  /// No phase is over that can't be, and none goes on that is.
  func checkPhase(_ view: FlowView?) throws(Broken) {
    guard !schedule.phaseEnds.isEmpty, let view, view.passReason == .none else { return }
    let place = Int(view.configuration) - schedule.firstPhase
    guard schedule.phaseEnds.indices.contains(place) || place == schedule.phaseEnds.count else {
      throw Broken("phase \(place): \(report)")
    }
    guard view.phase == .established else {
      if place != 0 { throw Broken("phase \(place) of a connection that does not stand: \(report)") }
      return
    }
    let begun = establishedAt ?? now
    establishedAt = begun
    for (number, end) in schedule.phaseEnds.enumerated() where number <= place {
      let (mayBe, mustBe): (Bool, Bool) =
        switch end {
        case .established: (true, true)
        case .octets(let limit):
          (
            max(guest.highest, network.highest) - 1 >= limit,
            max(guest.unacknowledged, network.unacknowledged) - 1 >= limit
          )
        // A timer is up to a tick late.
        case .time(let time): (now - begun >= time.nanoseconds, now - begun > time.nanoseconds + 40_000)
        }
      if number < place, !mayBe { throw Broken("phase \(number), \(end), can't be over: \(report)") }
      if number == place, mustBe { throw Broken("phase \(number), \(end), is over: \(report)") }
    }
  }
}
