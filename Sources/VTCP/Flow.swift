// SPDX-License-Identifier: Apache-2.0

import Arena
import Timekeeping
import Wire

/// One connection (R14), but for its two `FlowSide`s, which lie in an array of their own. Trivial, it lies in the arena.
struct Flow: BitwiseCopyable, Sendable {
  let key: FlowKey
  /// Headers in the guest's name, and in the network's. Copied from their frames.
  var fromGuest: SegmentTemplate
  var fromNetwork: SegmentTemplate
  var phase = FlowPhase.synSeen
  var passReason = PassReason.none
  /// The leg that the first SYN came from.
  var opener: Leg
  /// Which lists of `ReadyLists` it is in, by bit.
  var listed: UInt8 = 0
  var hasTimestamps = false
  /// `synAcknowledged`, above it `resetDue`, then `bridgesECN`, `lossIsDoubtful`, and `policyTurn` on top: an octet more, and a connection would take more than 512.
  var legBits: UInt8 = 0
  /// The configuration that applies, by its place in `PolicyTable`; of a life in phases, the one that it is in.
  var configuration: UInt8 = 0
  /// The class that it is counted in, by its number in the policy (R18).
  var flowClass: UInt8 = 0
  /// The code point of the first SYN, which policy may ask for.
  var dscp: UInt8
  /// Where `successor` came from.
  var successorLeg = Leg.guest
  /// The shortest round trip to the network's end of late.
  var leastRoundTrip = CompactInterval.unknown

  /// In the list of flows that have something for the guest, and for the network.
  var toGuest = ListLinks()
  var toNetwork = ListLinks()
  /// Octets that it may send to the guest, and to the network, before others have their turn.
  var guestCredit: Int32 = 0
  var networkCredit: Int32 = 0
  /// In the list of all; see `FlowList.age`.
  var age = ListLinks()

  /// Initial sequence numbers and what the SYNs offered.
  var guestSYN = SYNFacts()
  var networkSYN = SYNFacts()
  /// A SYN that came while the connection stood: it may be the next one's (RFC 6191).
  var successor = SYNFacts()
  var guestCounters = LegCounters()
  var networkCounters = LegCounters()
  /// Since when `leastRoundTrip` is known.
  var leastSince = CoarseInstant(Instant(nanoseconds: 0))
  /// Until when it counts as one that loses something.
  var losesUntil = CoarseInstant(Instant(nanoseconds: 0))
  /// When a packet was last seen.
  var lastSeen: CoarseInstant

  /// Which ends have acknowledged the other's SYN, by the bit of their leg.
  var synAcknowledged: UInt8 {
    get { legBits & 3 }
    set { legBits = legBits & ~3 | newValue & 3 }
  }

  /// Which legs are to be sent a reset, by bit.
  var resetDue: UInt8 {
    get { legBits &>> 2 & 3 }
    set { legBits = legBits & ~12 | (newValue & 3) &<< 2 }
  }

  /// ECN is spoken with the network's end in the place of a guest that has not agreed to it, or was offered so and is not answered yet.
  var bridgesECN: Bool {
    get { legBits & 16 != 0 }
    set { legBits = legBits & ~16 | (newValue ? 16 : 0) }
  }

  /// All that says that it loses something are data that the guest has repeated, perhaps in vain.
  var lossIsDoubtful: Bool {
    get { legBits & 64 != 0 }
    set { legBits = legBits & ~64 | (newValue ? 64 : 0) }
  }

  /// `VTCPModule.policyTurn` of the policy that `configuration` and `flowClass` are of; 0 or 1.
  var policyTurn: UInt8 {
    get { legBits &>> 7 }
    set { legBits = legBits & 0x7f | newValue &<< 7 }
  }

  /// When the connection was established. Known only then.
  var established: Instant {
    get {
      Instant(nanoseconds: Int64(bitPattern: UInt64(networkSYN.beginning) &<< 32 | UInt64(guestSYN.beginning)))
    }
    set {
      let word = UInt64(bitPattern: newValue.nanoseconds)
      guestSYN.beginning = UInt32(truncatingIfNeeded: word)
      networkSYN.beginning = UInt32(truncatingIfNeeded: word &>> 32)
    }
  }

  func credit(_ leg: Leg) -> Int { Int(leg == .guest ? guestCredit : networkCredit) }

  mutating func setCredit(_ octets: Int, _ leg: Leg) {
    let credit = Int32(clamping: octets)
    if leg == .guest { guestCredit = credit } else { networkCredit = credit }
  }
}
