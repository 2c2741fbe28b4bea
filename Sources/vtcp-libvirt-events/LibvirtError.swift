// SPDX-License-Identifier: Apache-2.0

/// What libvirt said of a call that failed.
struct LibvirtError: Error, CustomStringConvertible {
  let description: String
}
