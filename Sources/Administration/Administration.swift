// SPDX-License-Identifier: Apache-2.0

// What `vtcpctl` does, without its command line: asks vtcpd (`HostService`) or a single vtcp-nic (`NICControl`, `StatisticsFileReading`), and
// makes text for people of what comes back.
//
// # Theory of operation
//
// Both ways lead to the same JSON: what vtcpd says of a NIC's statistics is what a NIC's statistics file says. So whatever prints takes a
// `JSONValue` and leaves out what is not there; a newer service may say more, and an older one less. Texts are pure functions of it
// (`FlowList`, `StatisticsList`, `TopScreen`, `FlowEvents`, `PacketLine`, `ValueTable`).
//
// Whatever fails is an `AdministrationError`: one sentence that says how to mend it, and the exit status that goes with it.
