// SPDX-License-Identifier: Apache-2.0

/// Why the session of a process before us can't be gone on with.
public enum SessionError: Error, CustomStringConvertible {
  /// What lies in the state memory makes no sense.
  case damaged
  /// A descriptor that belongs to it was not handed in, or several of its name.
  case missing(String)
  /// A request that our predecessor had carried out is refused by us.
  case refused(String)

  public var description: String {
    switch self {
    case .damaged: "what is left of it makes no sense"
    case .missing(let name): "the descriptor '\(name)' was not handed in, or more than one"
    case .refused(let why): why
    }
  }
}
