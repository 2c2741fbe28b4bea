// SPDX-License-Identifier: Apache-2.0

extension Knob {
  /// One sentence for people who write policies: in the schema, and so in their editors.
  public var summary: String {
    switch self {
    case .earlyAck:
      "Whether data are acknowledged as soon as they are held. observe: connections are watched only; snoop: losses are repaired from copies; limit: the guest is ruled by the window that it is shown."
    case .leastRoundTrip: "The round trip from which on it is worth it in any case; 0: always."
    case .buffer: "What may be held of a connection, in a direction; 0: nothing."
    case .outOfOrderStoreSize: "Besides, for data ahead of their turn; 0: none are kept."
    case .tailSize: "At the end of what came, never acknowledged early."
    case .advertise:
      "Which window the sender is shown: the buffer's or the receiver's; auto: guest to network the buffer's, else the receiver's."
    case .windowScale: "strip: the Window Scale option is taken out of SYNs."
    case .shutWindow: "What the sender may do while its receiver's window is shut."
    case .windowClamp: "How far beyond what is acknowledged either end is shown a window; none: as far as it is."
    case .congestionControl: "Towards the network. reno is newReno here."
    case .initialCongestionWindow: "Segments; auto: by RFC 6928."
    case .slowStartThreshold: "When a connection begins; auto: none."
    case .additiveIncrease: "How fast the window grows, times what the algorithm says."
    case .multiplicativeDecrease: "The window is multiplied by this after a loss; auto: what the algorithm says."
    case .dupAckThreshold: "Duplicate acknowledgments after which a segment counts as lost."
    case .usesHyStart: "Slow start ends when the round trip grows."
    case .isPaced: "What is sent is spread over the round trip."
    case .receiveRecovery: "Towards the guest: a timer that doubles, or all that there is towards the network."
    case .minimumTimeout: "The shortest retransmission timeout."
    case .maximumTimeout: "The longest retransmission timeout."
    case .maximumTimeouts: "Timeouts in a row after which both ends are reset."
    case .acknowledgmentDelay: "How long an acknowledgment may wait for more."
    case .bufferWeight: "The share of the memory beside others that want some; 0: never held."
    case .servingWeight: "The share of the turns on a leg."
    case .sendsLarge: "What the module sends leaves as large sends, which the uplink cuts; or segment by segment."
    case .firstStage: "How large the guest's own sends are is the NIC's to say (vtcp-nic --large-send)."
    case .largeSendMTU: "Large sends are cut to the path's MTU."
    case .maximumSegmentSize: "What either SYN says at most; keep: as it is."
    case .ecn:
      "As the ends agree; neither hears of the other's offer; or the network's end is offered it in the guest's place."
    case .stripOptions: "Options that are taken out of SYNs."
    case .addOptions: "Options that either SYN gets if it has none of the kind."
    case .rate: "How fast the VM may send and receive, all of its connections together."
    }
  }
}
