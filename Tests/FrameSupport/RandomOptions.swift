// SPDX-License-Identifier: Apache-2.0

/// Well-formed TCP options of any kind, in any order, at any alignment.
public enum RandomOptions {
  /// Whole words, at most 40 octets.
  public static func make(using generator: inout SplitMix64) -> [UInt8] {
    var options: [UInt8] = []
    var once: Set<UInt8> = []
    for _ in 0..<Int.random(in: 0...6, using: &generator) {
      let number = ([1, 1, 2, 3, 4, 5, 5, 8, 8, 30, 253] as [UInt8]).randomElement(using: &generator) ?? 1
      guard number != 1 else {
        if options.count < 40 { options.append(1) }
        continue
      }
      let length = length(of: number, using: &generator)
      guard options.count + length <= 40, once.insert(number).inserted else { continue }
      options += [number, UInt8(length)] + generator.bytes(length - 2)
    }
    while options.count % 4 != 0 { options.append(1) }
    return options
  }

  private static func length(of number: UInt8, using generator: inout SplitMix64) -> Int {
    switch number {
    case 2: 4
    case 3: 3
    case 4: 2
    case 5: 2 + 8 * Int.random(in: 1...4, using: &generator)
    case 8: 10
    default: Int.random(in: 3...12, using: &generator)
    }
  }
}
