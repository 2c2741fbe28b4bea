// SPDX-License-Identifier: Apache-2.0

/// Where the value of a knob comes from.
public struct KnobOrigin: Hashable, Sendable, CustomStringConvertible {
  public let layer: PolicyLayer
  /// Where in the language, if it is in a file: `classes.bulk.tx`.
  public let path: String
  /// Nil: it is in no file.
  public let place: PolicyPlace?
  /// What it would be without `limits`, and which limit it is; nil: no limit has changed it.
  public internal(set) var clamp: String?

  init(_ layer: PolicyLayer, path: String = "", place: PolicyPlace? = nil) {
    self.layer = layer
    self.path = path
    self.place = place
  }

  init(_ layer: PolicyLayer, _ setting: KnobSetting) { self.init(layer, path: setting.path, place: setting.place) }

  /// `classes.bulk.tx`, or what else gives it.
  public var source: String {
    switch layer {
    case .builtIn: "built-in"
    case .fallback, .vmClass, .nicClass, .ruleClass: path
    case .vmSetting: "metadata of the VM"
    case .nicSetting: "metadata of the NIC"
    case .bandwidth: "libvirt <bandwidth>"
    case .phase(let number): path.isEmpty ? "phase \(number)" : path
    case .override(let id): "override \(id)"
    }
  }

  public var description: String {
    [source, place?.line, clamp].compactMap { $0 }.joined(separator: "  ")
  }
}
