// SPDX-License-Identifier: Apache-2.0

public import PolicyLanguage

extension NICSettings {
  /// What policies are told of it. A NIC that nobody gave a VM's name is its own VM.
  public func facts(_ name: NICName) -> NICFacts {
    var facts = NICFacts(
      vm: machineName ?? name.text, uuid: bound?.uuid ?? uuid, mac: bound?.macAddress ?? macAddress,
      alias: bound?.alias ?? alias)
    facts.groups = groups + (bound?.groups ?? []).filter { !groups.contains($0) }
    facts.vmClass = bound?.machineClass ?? machineClass
    // A class that libvirt's metadata name is the tenant's word, one of `port add` the administrator's.
    facts.nicClass = bound?.nicClass
    facts.portClass = nicClass
    facts.settings = (inline + (bound?.inline ?? [])).map { PolicySetting(key: $0.key, value: $0.value) }
    if let bandwidth = bound?.bandwidth ?? bandwidth { facts.bandwidth = Self.bandwidth(bandwidth) }
    return facts
  }

  private static func bandwidth(_ bandwidth: Bandwidth) -> NICBandwidth {
    var result = NICBandwidth()
    result.inboundAverage = bandwidth.inbound?.average ?? 0
    result.inboundPeak = bandwidth.inbound?.peak ?? 0
    result.inboundBurst = bandwidth.inbound?.burst ?? 0
    result.outboundAverage = bandwidth.outbound?.average ?? 0
    result.outboundPeak = bandwidth.outbound?.peak ?? 0
    result.outboundBurst = bandwidth.outbound?.burst ?? 0
    return result
  }
}
