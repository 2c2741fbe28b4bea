// SPDX-License-Identifier: Apache-2.0

import VTCP

/// The TCP accelerator, if there is one, for the path of a frame: to look at an object that may not be there counts a reference, this
/// does not.
struct ModuleReference {
  private let owner: VTCPModule?
  private let reference: Unmanaged<VTCPModule>?

  init(_ module: VTCPModule?) {
    owner = module
    reference = module.map { Unmanaged.passUnretained($0) }
  }

  var isThere: Bool { reference != nil }

  /// Calls `body` with the accelerator; nil if there is none.
  @inline(__always)
  func with<Result>(_ body: (VTCPModule) -> Result) -> Result? {
    guard let reference else { return nil }
    // SAFETY: `owner` keeps the object alive for as long as this value is there, and so for the length of the call.
    return reference._withUnsafeGuaranteedRef(body)
  }
}
