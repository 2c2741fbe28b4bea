// SPDX-License-Identifier: Apache-2.0

@testable import CongestionControl

extension CongestionControl {
  var bbr: BBR {
    guard case .bbr(let model) = model else { return BBR() }
    return model
  }

  var bbr3: BBR3 {
    guard case .bbr3(let model) = model else { return BBR3() }
    return model
  }
}
