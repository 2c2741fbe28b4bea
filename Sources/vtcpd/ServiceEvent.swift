// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
import HostService
import HostSystem

/// Something that readers of `/v1/events` are told.
struct ServiceEvent {
  /// What happened: `nic-added`, `nic-started`, `nic-ready`, `nic-died`, `nic-removed`, `policy-changed` and others (docs/host-service.md).
  let event: String
  let nic: NICName?
  let text: String
  var members: [JSONValue.Member] = []

  init(_ event: String, _ nic: NICName? = nil, _ text: String, _ members: [JSONValue.Member] = []) {
    self.event = event
    self.nic = nic
    self.text = text
    self.members = members
  }

  var json: JSONValue {
    var all: [JSONValue.Member] = [
      .init("time", .string(TimeText.utc(WallClock.now()))), .init("event", .string(event)),
    ]
    if let nic { all.append(.init("nic", .string(nic.text))) }
    all.append(.init("text", .string(text)))
    return .object(all + members)
  }
}
