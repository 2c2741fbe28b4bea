// SPDX-License-Identifier: Apache-2.0

import CLibvirt

/// A connection to libvirtd that only reads.
///
/// SAFETY: `handle` is this object's from `virConnectOpenReadOnly` to `virConnectClose` in `deinit`, which unregisters all callbacks first. They are given
/// `events`, which libvirt keeps alive by a reference of its own until it calls `release`. Domains are freed where they are used. Strings are copied
/// before what they lie in is freed.
final class LibvirtConnection {
  private static let watched = [
    VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_ID_METADATA_CHANGE, VIR_DOMAIN_EVENT_ID_DEVICE_ADDED,
    VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED,
  ]
  /// VIR_UUID_STRING_BUFLEN
  private static let uuidLength = 37

  private let handle: virConnectPtr
  private let events = LibvirtEvents()
  private var callbacks: [Int32] = []

  init(uri: String) throws(LibvirtError) {
    guard let handle = virConnectOpenReadOnly(uri) else { throw Self.lastError() }
    self.handle = handle
  }

  deinit {
    for callback in callbacks { _ = virConnectDomainEventDeregisterAny(handle, callback) }
    _ = virConnectUnregisterCloseCallback(handle, Self.closed)
    _ = virConnectClose(handle)
  }

  var hasEnded: Bool { events.hasEnded }
  /// More domains have changed than were kept.
  var hasLost: Bool { events.hasLost }

  /// UUIDs of the domains that changed since the last call.
  func takeChanges() -> [String] { events.take() }

  /// Asks for the events.
  func subscribe() throws(LibvirtError) {
    guard virConnectRegisterCloseCallback(handle, Self.closed, retained(), Self.release) == 0 else {
      throw Self.lastError()
    }
    // A libvirtd that stands still counts as gone after 15 seconds.
    _ = virConnectSetKeepAlive(handle, 5, 3)
    for event in Self.watched {
      let callback = virConnectDomainEventRegisterAny(
        handle, nil, Int32(event.rawValue), Self.callback(event), retained(), Self.release)
      guard callback >= 0 else { throw Self.lastError() }
      callbacks.append(callback)
    }
  }

  /// UUIDs.
  func runningDomains() throws(LibvirtError) -> [String] {
    events.foundAgain()
    var list: UnsafeMutablePointer<virDomainPtr?>?
    let count = virConnectListAllDomains(handle, &list, VIR_CONNECT_LIST_DOMAINS_ACTIVE.rawValue)
    guard count >= 0 else { throw Self.lastError() }
    defer { vtcp_libvirt_free(list) }
    return (0..<Int(count)).compactMap { index in
      guard let domain = list?[index] else { return nil }
      defer { _ = virDomainFree(domain) }
      return Self.uuid(domain)
    }
  }

  /// Of a running domain as it is now; nil if it does not run.
  func xml(_ uuid: String) -> [UInt8]? {
    guard let domain = virDomainLookupByUUIDString(handle, uuid) else { return nil }
    defer { _ = virDomainFree(domain) }
    guard virDomainIsActive(domain) == 1, let text = virDomainGetXMLDesc(domain, 0) else { return nil }
    defer { vtcp_libvirt_free(text) }
    return Array(String(cString: text).utf8)
  }

  static func lastError() -> LibvirtError {
    LibvirtError(description: virGetLastErrorMessage().map { String(cString: $0) } ?? "libvirt gave no reason")
  }

  // MARK: Callbacks

  private func retained() -> UnsafeMutableRawPointer { Unmanaged.passRetained(events).toOpaque() }

  private static let release: virFreeCallback = { data in
    if let data { Unmanaged<LibvirtEvents>.fromOpaque(data).release() }
  }

  private static let closed: virConnectCloseFunc = { _, _, data in
    LibvirtConnection.events(data)?.hasEnded = true
  }

  private static func events(_ data: UnsafeMutableRawPointer?) -> LibvirtEvents? {
    data.map { Unmanaged<LibvirtEvents>.fromOpaque($0).takeUnretainedValue() }
  }

  private static func note(_ domain: virDomainPtr?, _ data: UnsafeMutableRawPointer?) {
    guard let domain, let uuid = uuid(domain) else { return }
    events(data)?.note(uuid)
  }

  /// Each kind of event has a function of its own type, which libvirt takes as one of the general type and casts back.
  private static func callback(_ event: virDomainEventID) -> virConnectDomainEventGenericCallback {
    switch event {
    case VIR_DOMAIN_EVENT_ID_LIFECYCLE:
      let function: virConnectDomainEventCallback = { _, domain, event, _, data in
        // What ends is the hook's matter.
        if event == Int32(VIR_DOMAIN_EVENT_STARTED.rawValue) { LibvirtConnection.note(domain, data) }
        return 0
      }
      return unsafeBitCast(function, to: virConnectDomainEventGenericCallback.self)
    case VIR_DOMAIN_EVENT_ID_METADATA_CHANGE:
      let function: virConnectDomainEventMetadataChangeCallback = { _, domain, _, _, data in
        LibvirtConnection.note(domain, data)
      }
      return unsafeBitCast(function, to: virConnectDomainEventGenericCallback.self)
    default:
      // Devices that were added and removed: the same arguments.
      let function: virConnectDomainEventDeviceAddedCallback = { _, domain, _, data in
        LibvirtConnection.note(domain, data)
      }
      return unsafeBitCast(function, to: virConnectDomainEventGenericCallback.self)
    }
  }

  private static func uuid(_ domain: virDomainPtr) -> String? {
    var text = [CChar](repeating: 0, count: uuidLength)
    guard virDomainGetUUIDString(domain, &text) == 0 else { return nil }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
