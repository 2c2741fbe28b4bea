// SPDX-License-Identifier: Apache-2.0

import CYAMLEvents

/// The events of a text, as libyaml finds them.
enum YAMLEvents {
  /// Gives one event after the other until `take` returns false, or a mistake or the end of the text was given.
  static func read(_ octets: [UInt8], _ take: (YAMLEvent) -> Bool) {
    // libyaml wants an address even for nothing.
    let octets = octets.isEmpty ? [UInt8(ascii: "\n")] : octets
    octets.withUnsafeBufferPointer { buffer in
      // SAFETY: the octets stay where they are until the reader is closed, which is before this closure ends.
      guard let address = buffer.baseAddress, let reader = vtcp_yaml_open(address, buffer.count) else {
        _ = take(
          YAMLEvent(
            kind: .mistake("there is no memory to read it"), mark: YAMLMark(line: 1, column: 1), hasAnchor: false,
            hasTag: false))
        return
      }
      defer { vtcp_yaml_close(reader) }
      var found = vtcp_yaml_event()
      while true {
        let status = vtcp_yaml_next(reader, &found)
        let event = event(found, status)
        guard take(event) else { return }
        switch event.kind {
        case .mistake, .streamEnd: return
        default: continue
        }
      }
    }
  }

  private static func event(_ found: vtcp_yaml_event, _ status: Int32) -> YAMLEvent {
    YAMLEvent(
      kind: kind(found, status),
      mark: YAMLMark(line: Int(clamping: found.line) &+ 1, column: Int(clamping: found.column) &+ 1),
      hasAnchor: found.has_anchor != 0, hasTag: found.has_tag != 0)
  }

  private static func kind(_ found: vtcp_yaml_event, _ status: Int32) -> YAMLEvent.Kind {
    guard status == 0 else {
      let problem = text(found)
      // SAFETY: libyaml's context is a string of its own that is never freed.
      let context =
        found.context.map { "\(String(cString: $0)), begun on line \(Int(clamping: found.context_line) &+ 1): " } ?? ""
      return .mistake(problem.isEmpty ? "there is no memory to read it" : context + problem)
    }
    switch found.kind {
    case VTCP_YAML_STREAM_END: return .streamEnd
    case VTCP_YAML_DOCUMENT_START: return .documentStart
    case VTCP_YAML_SCALAR: return .scalar(text(found), isPlain: found.is_plain != 0)
    case VTCP_YAML_SEQUENCE_START: return .sequenceStart
    case VTCP_YAML_SEQUENCE_END: return .sequenceEnd
    case VTCP_YAML_MAPPING_START: return .mappingStart
    case VTCP_YAML_MAPPING_END: return .mappingEnd
    case VTCP_YAML_ALIAS: return .alias
    default: return .other
    }
  }

  /// A copy. SAFETY: the shim says how long it is, and it is there until the next event is asked for.
  private static func text(_ found: vtcp_yaml_event) -> String {
    guard let address = found.text else { return "" }
    return String(decoding: UnsafeBufferPointer(start: address, count: found.length), as: UTF8.self)
  }
}
