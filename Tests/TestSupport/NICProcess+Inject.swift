// SPDX-License-Identifier: Apache-2.0
import CTestSupport

extension NICProcess {
  /// What became of a system call that the program was made to do.
  public enum Fate: Equatable, Sendable {
    /// What the kernel returned: a value, or a negative errno.
    case returned(Int64)
    /// A signal ended the program.
    case killed(Int32)
    /// The program ended itself.
    case exited
  }

  /// Makes the program, while it sleeps, do the system call `number`. `text`'s address is argument `textArgument`.
  public func inject(_ number: Int64, _ arguments: [Int64] = [], text: String? = nil, textArgument: Int = 0) throws
    -> Fate
  {
    let six = Array((arguments + [0, 0, 0, 0, 0, 0]).prefix(6))
    var result: Int64 = 0
    let outcome = test_inject(identifier, number, six, text, Int32(textArgument), &result)
    guard outcome >= 0 else { throw TestFailure("no system call could be injected: errno \(-outcome)") }
    return switch outcome {
    case 0: .returned(result)
    case TEST_EXITED: .exited
    default: .killed(outcome)
    }
  }
}
