// SPDX-License-Identifier: Apache-2.0

public import Capture

/// Who looks at the frames of both legs. Between two turns.
extension VirtualNIC {
  /// From now on frames are shown to it. False: so many look on already that nobody else may.
  public func begin(_ capture: PacketCapture) -> Bool {
    guard tap.add(capture) else { return false }
    showFrames()
    return true
  }

  public func end(_ capture: PacketCapture) {
    tap.remove(capture)
    showFrames()
  }

  /// The most that may look on at once.
  public static var mostCaptures: Int { FrameTap.mostCaptures }

  private func showFrames() {
    let isTapped = !tap.captures.isEmpty
    transmitPath.isTapped = isTapped
    for path in receivePaths { path.isTapped = isTapped }
  }
}
