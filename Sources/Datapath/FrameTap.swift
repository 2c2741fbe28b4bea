// SPDX-License-Identifier: Apache-2.0

import Capture
import Memory
import Monitoring
import Packets
import Timekeeping
import VTCP
import Wire

/// Where frames are shown to those who look on: both legs, and what the accelerator made of each.
///
/// The paths ask for it only while `isTapped` says that somebody looks.
final class FrameTap {
  /// More at once are not served.
  static let mostCaptures = 4

  private(set) var captures: [PacketCapture] = []
  private var comment = CaptureComment()
  private let phrases = TapPhrase.allCases.map { Array($0.text.utf8) }
  private let reasons = MonitorWords.reasons.map { Array($0.utf8) }
  private let passReasons = MonitorWords.passReasons.map { Array($0.utf8) }

  private let noVectors = RecordBuffer<IOVector>(capacity: 1, repeating: .none)

  deinit {
    comment.deallocate()
    noVectors.deallocate()
  }

  /// False: there are as many as there may be.
  func add(_ capture: PacketCapture) -> Bool {
    guard captures.count < Self.mostCaptures else { return false }
    captures.append(capture)
    return true
  }

  func remove(_ capture: PacketCapture) { captures.removeAll { $0 === capture } }

  /// Lets the accelerator judge a frame, and shows it as it came and, if it goes on, as it leaves.
  func judge(_ module: VTCPModule, from leg: Leg, _ frame: PassingFrame, _ now: Instant) -> Verdict {
    let layout = FrameLayout(parsing: frame.head, frameLength: frame.length)
    open(CapturePoint(leg, .inbound), frame, layout, now)
    let story = module.arriveTelling(from: leg, frame, now: now)
    comment.clear()
    let isTCP = layout?.ipVersion != 0 && layout?.transportProtocol == IPProtocol.tcp
    if isTCP { tell(story) } else { add(.passed) }
    close()
    guard story.verdict != .consumed else { return story.verdict }
    comment.clear()
    if !story.events.isDisjoint(with: .rewritten) { tellChanges(story) }
    if story.verdict == .replaced {
      add(.grown)
      show(CapturePoint(leg.opposite, .outbound), module.replacement, now)
    } else {
      open(CapturePoint(leg.opposite, .outbound), frame, layout, now)
      close()
    }
    return story.verdict
  }

  /// Shows a frame that passes with no accelerator there.
  func passed(from leg: Leg, _ frame: PassingFrame, _ now: Instant) {
    let layout = FrameLayout(parsing: frame.head, frameLength: frame.length)
    comment.clear()
    for point in [CapturePoint(leg, .inbound), CapturePoint(leg.opposite, .outbound)] {
      open(point, frame, layout, now)
      close()
    }
  }

  /// Shows a frame of the accelerator's, which is about to be said to have left.
  func emitted(_ module: VTCPModule, to leg: Leg, _ frame: PassingFrame, _ now: Instant) {
    comment.clear()
    switch module.emissionStory {
    case .data: add(.data)
    case .resent: add(.resent)
    case .acknowledgment(let octets):
      add(.ofOwn)
      if octets > 0 { add(.ownEarly, octets) }
    case .probe: add(.probe)
    case .reset: add(.reset)
    }
    let layout = FrameLayout(parsing: frame.head, frameLength: frame.length)
    open(CapturePoint(leg, .outbound), frame, layout, now)
    close()
  }

  /// The same of a frame that lies in one piece.
  func emitted(_ module: VTCPModule, to leg: Leg, whole: ByteRegion, _ now: Instant) {
    emitted(module, to: leg, self.whole(whole), now)
  }

  private func show(_ point: CapturePoint, _ whole: ByteRegion, _ now: Instant) {
    open(point, self.whole(whole), FrameLayout(parsing: whole, frameLength: whole.count), now)
    close()
  }

  /// A frame in one piece.
  private func whole(_ frame: ByteRegion) -> PassingFrame {
    PassingFrame(head: frame, length: frame.count, vectors: noVectors, firstVector: 0, vectorsEnd: 0)
  }

  private func open(_ point: CapturePoint, _ frame: PassingFrame, _ layout: FrameLayout?, _ now: Instant) {
    for capture in captures { capture.open(point, frame, layout, now: now) }
  }

  private func close() {
    for capture in captures { capture.close(comment) }
  }
}

// MARK: - What is said

extension FrameTap {
  private func tell(_ story: FrameStory) {
    let events = story.events
    for (event, phrase) in Self.plain where events.contains(event) { add(phrase) }
    if events.contains(.untouched) {
      add(.untouched)
      append(passReasons, Int(story.passReason.rawValue))
    }
    if events.contains(.held) { add(.held, story.heldOctets) }
    if events.contains(.acknowledgedEarly) { add(.early, story.earlyOctets) }
    for (event, phrase) in Self.ends where events.contains(event) {
      add(phrase)
      append(reasons, Int(story.reason.rawValue))
    }
    switch story.verdict {
    case .consumed: if !events.contains(.keptBack) { add(.consumed) }
    case .pass, .replaced: if events.isDisjoint(with: [.notFollowed, .untouched]) { add(.passed) }
    }
  }

  /// Those that nothing is added to, in the order in which they are said.
  private static let plain: [(FrameStory.Events, TapPhrase)] = [
    (.badChecksum, .badChecksum), (.implausible, .implausible), (.followed, .followed), (.notFollowed, .notFollowed),
    (.forgotten, .forgotten), (.repeated, .repeated), (.heldAhead, .heldAhead), (.dropped, .dropped),
    (.keptBack, .keptBack), (.guestBegan, .guestBegan), (.networkBegan, .networkBegan),
  ]
  private static let ends: [(FrameStory.Events, TapPhrase)] = [
    (.guestEnded, .guestEnded), (.networkEnded, .networkEnded),
  ]

  private func tellChanges(_ story: FrameStory) {
    add(.rewritten)
    let events = story.events
    if events.contains(.sequenceRewritten) { append(.sequence) }
    if events.contains(.acknowledgmentRewritten) {
      append(.acknowledgment)
      if story.acknowledgmentChange > 0 { comment.append([UInt8(ascii: "+")]) }
      comment.append(story.acknowledgmentChange)
    }
    if events.contains(.windowRewritten) { append(.window) }
    if events.contains(.flagsRewritten) { append(.flags) }
    if events.contains(.optionsRewritten) { append(.options) }
  }

  private func add(_ phrase: TapPhrase) { comment.add(phrases[phrase.rawValue]) }
  private func append(_ phrase: TapPhrase) { comment.append(phrases[phrase.rawValue]) }

  private func add(_ phrase: TapPhrase, _ octets: Int) {
    add(phrase)
    comment.append(octets)
    append(.octets)
  }

  private func append(_ words: [[UInt8]], _ place: Int) {
    if words.indices.contains(place) { comment.append(words[place]) }
  }
}

extension CapturePoint {
  init(_ leg: Leg, _ direction: Direction) {
    self.init(leg == .guest ? Interface.guest : Interface.network, direction)
  }
}
