// SPDX-License-Identifier: Apache-2.0

extension PolicyDocument {
  /// The policy of one NIC.
  ///
  /// - Parameters:
  ///   - facts: what is known of it and its VM.
  ///   - overrides: what counts above all classes; the last of several for a knob wins.
  public func compile(for facts: NICFacts, overrides: [PolicyOverride] = []) -> CompiledPolicy {
    var compiler = PolicyCompiler(self, facts)
    return compiler.compile(overrides)
  }
}
