// SPDX-License-Identifier: Apache-2.0

/// What is said of frames that somebody looks at (docs/monitoring.md lists them). Numbers stand behind some.
enum TapPhrase: Int, CaseIterable {
  case passed
  case followed
  case notFollowed
  case untouched
  case forgotten
  case held
  case heldAhead
  case early
  case repeated
  case dropped
  case implausible
  case badChecksum
  case keptBack
  case consumed
  case guestBegan
  case networkBegan
  case guestEnded
  case networkEnded
  case rewritten
  case octets
  case sequence
  case acknowledgment
  case window
  case flags
  case options
  case grown
  case data
  case resent
  case ofOwn
  case ownEarly
  case probe
  case reset

  var text: String {
    switch self {
    case .passed: "passed"
    case .followed: "connection is followed from here on"
    case .notFollowed: "passed: its connection is not followed"
    case .untouched: "passed: its connection is untouched, "
    case .forgotten: "connection is forgotten"
    case .held: "held: "
    case .heldAhead: "held ahead of its turn"
    case .early: "acknowledged early: "
    case .repeated: "repeated: nothing in it is new"
    case .dropped: "dropped for want of room"
    case .implausible: "implausible numbers"
    case .badChecksum: "wrong checksum"
    case .keptBack: "kept back: what it acknowledges is acknowledged already"
    case .consumed: "goes no further as it is"
    case .guestBegan: "early acknowledgment of the guest's data begins"
    case .networkBegan: "early acknowledgment of the network's data begins"
    case .guestEnded: "early acknowledgment of the guest's data ends: "
    case .networkEnded: "early acknowledgment of the network's data ends: "
    case .rewritten: "header rewritten:"
    case .octets: " octets"
    case .sequence: " sequence"
    case .acknowledgment: " acknowledgment "
    case .window: " window"
    case .flags: " flags"
    case .options: " options"
    case .grown: "an option was added"
    case .data: "sent from the buffer"
    case .resent: "sent again from the buffer"
    case .ofOwn: "the module's own"
    case .ownEarly: "acknowledges early: "
    case .probe: "the module's own: asks for the window"
    case .reset: "the module's own: the other end is gone"
    }
  }
}
