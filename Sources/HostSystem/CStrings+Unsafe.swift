// SPDX-License-Identifier: Apache-2.0

/// Texts as `execve` takes them: pointers to C strings, the last one null.
///
/// SAFETY: the memory is its own, and lives until `deinit`; who uses `pointers` keeps the object that long.
final class CStrings {
  let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
  private let count: Int

  init(_ texts: [String]) {
    count = texts.count
    pointers = .allocate(capacity: texts.count + 1)
    for (index, text) in texts.enumerated() {
      let octets = text.utf8CString
      let copy = UnsafeMutablePointer<CChar>.allocate(capacity: octets.count)
      for (place, octet) in octets.enumerated() { copy[place] = octet }
      pointers[index] = copy
    }
    pointers[texts.count] = nil
  }

  deinit {
    for index in 0..<count { pointers[index]?.deallocate() }
    pointers.deallocate()
  }
}
