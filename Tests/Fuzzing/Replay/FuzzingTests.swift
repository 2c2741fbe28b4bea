// SPDX-License-Identifier: Apache-2.0
import Foundation
import FuzzTargets
import Memory
import Testing

/// Every input in the tree goes through the code that libFuzzer drives. One after the other: the targets share a guest.
@Suite("Fuzzing corpora", .serialized)
struct FuzzingTests {
  @Test("Every input of the corpus keeps what its target promises", arguments: FuzzTarget.allCases)
  func replay(target: FuzzTarget) throws {
    let inputs = try Corpus.inputs(of: target)
    #expect(!inputs.isEmpty)
    for input in inputs { try run(target, input) }
  }

  /// What fuzzing found, by name: `Corpora/TARGET/found-WHAT-WAS-WRONG`.
  @Test("What fuzzing found once stays mended", arguments: FuzzTarget.allCases.flatMap(Corpus.findings))
  func finding(_ input: Corpus.Input) throws {
    try run(input.target, input)
  }

  private func run(_ target: FuzzTarget, _ input: Corpus.Input) throws {
    let bytes = try [UInt8](Data(contentsOf: input.url))
    let finding = ReplayThread.shared.run { () throws in
      // Exactly as long, so that the address sanitizer sees a read behind it.
      let region = ByteRegion.allocate(count: bytes.count)
      defer { region.deallocate() }
      region.copy(from: bytes)
      try target.run(region)
    }
    #expect(finding == nil, "\(input)")
  }
}
