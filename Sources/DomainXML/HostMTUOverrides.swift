// SPDX-License-Identifier: Apache-2.0

/// What `<qemu:override>` says of `host_mtu`, by the device's alias: the one way to tell a guest the MTU of a vhost-user interface.
struct HostMTUOverrides {
  private var values: [String: String] = [:]

  init(_ root: XMLElement) {
    let namespace = DomainNames.qemuNamespace
    for override in root.all("override", namespace: namespace) {
      for device in override.all("device", namespace: namespace) {
        guard let alias = device["alias"] else { continue }
        for property in device.all("frontend", namespace: namespace).flatMap({
          $0.all("property", namespace: namespace)
        })
        where property["name"] == "host_mtu" && property["type"] != "remove" {
          values[alias] = property["value"]
        }
      }
    }
  }

  func mtu(_ alias: String?) -> String? { alias.flatMap { values[$0] } }
}
