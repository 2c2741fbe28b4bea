// SPDX-License-Identifier: Apache-2.0

/// An attribute as it was read, entities replaced. Places are the element's: expat tells no others.
struct XMLAttribute: Equatable {
  let name: XMLName
  let value: String
}
