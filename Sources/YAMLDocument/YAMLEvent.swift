// SPDX-License-Identifier: Apache-2.0

/// A step through a YAML text.
struct YAMLEvent {
  enum Kind {
    case streamEnd
    case documentStart
    case scalar(String, isPlain: Bool)
    case sequenceStart
    case sequenceEnd
    case mappingStart
    case mappingEnd
    case alias
    case other
    /// The text is wrong here; nothing comes behind it.
    case mistake(String)
  }

  let kind: Kind
  let mark: YAMLMark
  let hasAnchor: Bool
  let hasTag: Bool
}
