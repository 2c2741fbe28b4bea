// SPDX-License-Identifier: Apache-2.0

/// Text for an XML.
enum XMLEscape {
  /// As the value of an attribute in quotation marks of either kind (XML 1.0, 2.3 and 3.3.3).
  static func attribute(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "'": result += "&apos;"
      case "\"": result += "&quot;"
      case "\n", "\r", "\t": result += "&#\(scalar.value);"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
