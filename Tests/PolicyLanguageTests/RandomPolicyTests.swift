// SPDX-License-Identifier: Apache-2.0
import PolicyLanguage
import TCPPolicy
import Testing

@Suite("Policy language: random policies against a plain reference") struct RandomPolicyTests {
  /// What the reference says: the class of the first rule that matches, over the default.
  private func expected(_ random: RandomDocument, _ vm: String, _ facts: ConnectionFacts) -> (
    rule: Int?, RandomDocument.Class
  ) {
    func merged(_ over: RandomDocument.Class, _ name: String?) -> RandomDocument.Class {
      guard let name, let found = random.classes.first(where: { $0.name == name })?.content else { return over }
      var result = merged(over, found.parent)
      result.transmit = found.transmit ?? result.transmit
      result.receive = found.receive ?? result.receive
      result.threshold = found.threshold ?? result.threshold
      result.phase = found.phase ?? result.phase
      return result
    }
    var nothing = RandomDocument.Class()
    (nothing.transmit, nothing.receive, nothing.threshold) = (4 << 20, 4 << 20, 3)
    let vmClass = merged(nothing, random.fallback)
    guard let number = random.rules.firstIndex(where: { $0.matches(vm, facts) }) else { return (nil, vmClass) }
    let rule = random.rules[number]
    return (number, merged(rule.replaces ? nothing : vmClass, rule.className))
  }

  @Test("What a compiled policy says of a connection is what its rules and classes say", arguments: 0..<20)
  func reference(_ part: Int) throws {
    var compiledCount = 0
    for seed in 0..<12 {
      var random = RandomDocument(seed: UInt64(part * 1000 + seed))
      let reading = PolicyDocument.load([PolicySource("random", random.text)])
      // Rules for nobody, or too many combinations, are refused.
      guard let document = reading.document else {
        let isKnown = reading.mistakes.allSatisfy { mistake in
          ["is left of", "no connection can be", "rules at the most"].contains { mistake.sentence.contains($0) }
        }
        #expect(isKnown, "\(reading.mistakes) of\n\(random.text)")
        continue
      }
      let vm = random.vm()
      let compiled = document.compile(for: NICFacts(vm: vm))
      guard compiled.mistakes.isEmpty else {
        #expect(compiled.mistakes.allSatisfy { $0.sentence.contains("rules of this NIC") }, "\(compiled.mistakes)")
        continue
      }
      compiledCount += 1
      let classifier = try Classifier(parsing: compiled.text, fallback: FlowConfiguration())
      for number in 0..<60 {
        let facts = random.facts()
        let (rule, wanted) = expected(random, vm, facts)
        let found = classifier.classify(facts)
        var configuration = classifier.configuration(found.configuration)
        let context =
          "\(FlowDescription(facts)) of \(vm), seed \(part * 1000 + seed):\n\(random.text)\n\(compiled.text)"
        #expect(Int(configuration.transmitBufferSize) == wanted.transmit, "\(context)")
        #expect(Int(configuration.receiveBufferSize) == wanted.receive, "\(context)")
        if let phase = wanted.phase {
          #expect(Int(configuration.duplicateAcknowledgmentThreshold) == phase.threshold, "\(context)")
          #expect(classifier.end(found.configuration) == .octets(UInt32(phase.octets)), "\(context)")
          configuration = classifier.configuration(found.configuration + 1)
        }
        #expect(Int(configuration.duplicateAcknowledgmentThreshold) == wanted.threshold, "\(context)")
        if let rule {
          #expect("\(classifier.className(found.flowClass))" == random.rules[rule].className, "\(context)")
        }
        // It compiles anew each time.
        guard number < 3 else { continue }
        let explanation = document.explain(for: NICFacts(vm: vm), flow: facts)
        #expect(explanation.rule == rule.map { "rule \($0 + 1)" }, "\(context)")
        // Why the others are not taken is said by other code: it has to agree.
        for other in explanation.others {
          let number = try #require(Int(other.rule.dropFirst(5))) - 1
          #expect((other.reason == "it comes later") == random.rules[number].matches(vm, facts), "\(other) \(context)")
        }
      }
    }
    #expect(compiledCount >= 2)
  }
}
