// SPDX-License-Identifier: Apache-2.0

/// Reads a YAML text, as people write configurations and policies, to a tree whose every node has its place. JSON is YAML: bodies of requests
/// are read by it as well.
///
/// libyaml finds the structure. On top of that:
/// * A text is small (`YAMLLimits`), one document, and UTF-8.
/// * A key is a word, and stands once in its mapping.
/// * There are no anchors, aliases, merge keys and tags: what is written in one place counts there, and a short text can't become a
///   long tree. `extends` and `$set` of the policy language say what they are for, with names.
/// * Scalars have no types here: whoever reads a value knows which it is to be.
///
/// It goes on after a mistake where it can, so that all are told at once. Memory and time are bounded by the text.
public struct YAMLReader {
  private struct Frame {
    let mark: YAMLMark
    let isMapping: Bool
    var nodes: [YAMLNode] = []
    var entries: [YAMLEntry] = []
    var seen: [String: YAMLMark] = [:]
    /// A key that waits for its value.
    var key: (text: String, mark: YAMLMark, counts: Bool)?
  }

  private var stack: [Frame] = []
  private var root: YAMLNode?
  private var mistakes: [YAMLMistake] = []
  private var nodeCount = 0
  private var documentCount = 0
  private var isWhole = false

  private init() {}

  /// - Parameter text: of 1 MiB at the most.
  public static func read(_ text: String) -> YAMLReading { read(Array(text.utf8)) }

  /// - Parameter octets: UTF-8, 1 MiB at the most.
  public static func read(_ octets: [UInt8]) -> YAMLReading {
    let start = YAMLMark(line: 1, column: 1)
    guard octets.count <= YAMLLimits.octets else {
      return YAMLReading(
        root: nil, mistakes: [YAMLMistake(start, "there are \(octets.count) octets, and may be \(YAMLLimits.octets)")])
    }
    if let mistake = YAMLOctets.mistake(octets) { return YAMLReading(root: nil, mistakes: [mistake]) }
    var reader = YAMLReader()
    // A byte order mark takes no column.
    let mark: [UInt8] = [0xef, 0xbb, 0xbf]
    YAMLEvents.read(octets.starts(with: mark) ? Array(octets.dropFirst(mark.count)) : octets) { reader.take($0) }
    let nothing = YAMLNode(mark: start, content: .scalar("", isPlain: true))
    return YAMLReading(
      root: reader.isWhole ? reader.root ?? nothing : nil, mistakes: reader.mistakes.sorted { $0.mark < $1.mark })
  }

  /// Notes a mistake, as long as there are not too many.
  private mutating func fail(_ mark: YAMLMark, _ sentence: String) {
    if mistakes.count < YAMLLimits.mistakes { mistakes.append(YAMLMistake(mark, Self.printable(sentence))) }
  }

  /// Returns whether there is a point in going on.
  private mutating func take(_ event: YAMLEvent) -> Bool {
    if event.hasAnchor { fail(event.mark, "anchors (&) are not known here: write what it stands for in each place") }
    if event.hasTag { fail(event.mark, "tags (!) are not known here; text that begins with ! stands in quotes") }
    switch event.kind {
    case .streamEnd:
      isWhole = true
      return false
    case .documentStart:
      documentCount += 1
      if documentCount > 1 { fail(event.mark, "there is one document in a text; put this one into a file of its own") }
      // The first is all there.
      isWhole = documentCount > 1
      return documentCount == 1
    case .scalar(let text, let isPlain):
      return add(YAMLNode(mark: event.mark, content: .scalar(text, isPlain: isPlain)))
    case .alias:
      fail(event.mark, "aliases (*) are not known here; text that begins with * stands in quotes")
      return add(YAMLNode(mark: event.mark, content: .scalar("", isPlain: true)), isAlias: true)
    case .sequenceStart: return open(event.mark, isMapping: false)
    case .mappingStart: return open(event.mark, isMapping: true)
    case .sequenceEnd, .mappingEnd: return close()
    case .other: return true
    case .mistake(let sentence):
      fail(event.mark, "this is no YAML: \(sentence)")
      return false
    }
  }

  private mutating func open(_ mark: YAMLMark, isMapping: Bool) -> Bool {
    guard stack.count < YAMLLimits.depth else {
      fail(mark, "lists and mappings stand in one another \(YAMLLimits.depth) deep at the most")
      return false
    }
    if let frame = stack.last, frame.isMapping, frame.key == nil {
      fail(mark, "a key is a word, not \(isMapping ? "a mapping" : "a list")")
      return false
    }
    stack.append(Frame(mark: mark, isMapping: isMapping))
    return true
  }

  private mutating func close() -> Bool {
    guard let frame = stack.popLast() else { return true }
    let content: YAMLContent = frame.isMapping ? .mapping(frame.entries) : .sequence(frame.nodes)
    return add(YAMLNode(mark: frame.mark, content: content))
  }

  /// Puts a node where it belongs.
  private mutating func add(_ node: YAMLNode, isAlias: Bool = false) -> Bool {
    nodeCount += 1
    guard nodeCount <= YAMLLimits.nodes else {
      fail(node.mark, "there are more than \(YAMLLimits.nodes) values")
      return false
    }
    guard !stack.isEmpty else {
      root = node
      return true
    }
    let last = stack.count - 1
    guard stack[last].isMapping else {
      stack[last].nodes.append(node)
      return true
    }
    guard let key = stack[last].key else { return addKey(node, isAlias) }
    if key.counts { stack[last].entries.append(YAMLEntry(key: key.text, mark: key.mark, value: node)) }
    stack[last].key = nil
    return true
  }

  private mutating func addKey(_ node: YAMLNode, _ isAlias: Bool) -> Bool {
    guard case .scalar(let text, let isPlain) = node.content else { return false }
    let last = stack.count - 1
    var counts = !isAlias
    if isAlias {
    } else if text.utf8.count > YAMLLimits.keyOctets {
      fail(node.mark, "a key has \(YAMLLimits.keyOctets) octets at the most")
      counts = false
    } else if node.isNull {
      fail(node.mark, "a key is a word, not nothing")
      counts = false
    } else if text == "<<", isPlain {
      fail(node.mark, "merge keys (<<) are not known here: classes say 'extends'")
      counts = false
    } else if let first = stack[last].seen[text] {
      fail(node.mark, "'\(Self.shown(text))' is there already, on line \(first.line)")
      counts = false
    } else {
      stack[last].seen[text] = node.mark
    }
    stack[last].key = (text, node.mark, counts)
    return true
  }

  /// Of a text that somebody wrote: printable ASCII, and not so long that a sentence is no longer one line.
  public static func shown(_ text: String) -> String {
    let octets = text.utf8.prefix(40).map { (0x20..<0x7f).contains($0) ? $0 : UInt8(ascii: "?") }
    return String(decoding: octets, as: UTF8.self) + (text.utf8.count > 40 ? "..." : "")
  }

  private static func printable(_ text: String) -> String {
    String(decoding: text.utf8.map { (0x20..<0x7f).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
  }
}
