// SPDX-License-Identifier: Apache-2.0

import Timekeeping

// Lines that say which configurations a connection has one after the other.

extension PolicyTextParser {
  mutating func readPhases(_ first: PolicyWord, _ words: ArraySlice<PolicyWord>) {
    guard let word = words.first, word.pair == nil else {
      return fail(first.error("phases have a name: phases NAME CONFIGURATION until=LIMIT ... CONFIGURATION"))
    }
    guard let name = name(word), isFree(name, word) else { return }
    guard !FlowConfiguration.presets.contains(where: { $0.name == name }) else {
      return fail(word.error("there is a configuration \(name) already"))
    }
    guard phases.count < Classifier.room else {
      return fail(
        word.error("\(PolicyError.tooManyPhases(configurations.count + phases.count + 1, limit: Classifier.room))"))
    }
    let count = errors.count
    // Where each begins, and where it says until when.
    var places: [(first: PolicyWord, until: PolicyWord?)] = []
    var found: [PolicyPhase] = []
    for word in words.dropFirst() {
      if let pair = word.pair {
        guard let last = places.last, last.until == nil, let phase = found.last else {
          fail(word.error("\(pair.key.shown) stands behind a configuration, once"))
          continue
        }
        places[places.count - 1].until = pair.value
        found[found.count - 1] = PolicyPhase(phase.configuration, until: until(pair.key, pair.value))
        continue
      }
      let configuration = self.name(word)
      if let configuration, !isConfiguration(configuration) { fail(missing(configuration, word)) }
      places.append((word, nil))
      found.append(PolicyPhase(configuration ?? .fallback))
    }
    let phases = PolicyPhases(name: name, found)
    // What was wrong may be just that.
    if errors.count == count {
      do throws(PhasesError) {
        _ = try phases.validated()
      } catch {
        let wrong = error.phase.map { places[$0].until ?? places[$0].first }
        fail((wrong ?? places.last?.until ?? word).error("\(error)"))
      }
    }
    // Without errors or with them: rules that name it are no mistakes.
    self.phases.append((phases, word))
  }

  /// Nil, and that is told, if it says nothing.
  private mutating func until(_ key: PolicyWord, _ value: PolicyWord) -> PhaseEnd? {
    guard key.text == "until" else {
      let meant = NearestWord.of(key.text, in: ["until"]).map { "; did you mean \($0)?" } ?? ""
      fail(key.error("there is no \(key.shown) in phases\(meant)"))
      return nil
    }
    if value.text == "established" { return .established }
    if let octets = Self.amount(value.text, Self.units("octets")) { return .octets(UInt32(clamping: octets)) }
    if let time = Self.amount(value.text, Self.units("ns")) { return .time(.nanoseconds(Int64(time))) }
    let meant = NearestWord.of(value.text, in: ["established"]).map { "; did you mean \($0)?" } ?? ""
    let forms = "established, a number of octets with KiB, MiB, GiB, or a time with us, ms, s"
    fail(value.error("until is \(forms), not \(value.shown)\(meant)"))
    return nil
  }
}
