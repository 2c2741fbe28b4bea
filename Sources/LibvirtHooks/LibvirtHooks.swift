// SPDX-License-Identifier: Apache-2.0

// What libvirt's hooks mean to virtual NICs. Pure: `vtcp-libvirt-hook` carries a call to vtcpd, vtcpd carries out what is decided here.
//
// 1. libvirt runs /etc/libvirt/hooks/qemu.d/* at moments of a domain's life, with the domain's XML on standard input: `HookCall`, `HookOperation`.
//    It waits for the end without a limit of time, and holds the domain's lock meanwhile.
// 2. `HookPassage` says, without asking anybody, whether a call has to do with us at all.
// 3. `LibvirtHook` makes of an operation and the domain what vtcpd is to do: `HookAction`. NICs are known by the domain's UUID and the address of the
//    interface, and by the socket's path; libvirt takes an interface's target name away.
//
// Nothing tells of devices that are plugged in or out, nor of changed metadata: those are `vtcp-libvirt-events`' matter, which brings the XML as it
// is then (`LibvirtHook.bindings`).
