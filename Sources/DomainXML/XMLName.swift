// SPDX-License-Identifier: Apache-2.0

/// A name with its namespace, whatever prefix stood for it.
struct XMLName: Equatable {
  /// Nil: none.
  let namespace: String?
  let local: String

  init(namespace: String? = nil, _ local: String) {
    self.namespace = namespace
    self.local = local
  }

  /// Expat's form: the namespace, `separator` and the name; or the name alone. No name has the separator in it.
  init(expanded text: String) {
    guard let end = text.utf8.lastIndex(of: Self.separator) else {
      self.init(text)
      return
    }
    self.init(namespace: String(text[..<end]), String(text[text.utf8.index(after: end)...]))
  }

  /// A newline: neither a namespace (RFC 3986) nor a name can have one, and expat refuses those that try.
  static let separator = UInt8(ascii: "\n")
}
