# SPDX-License-Identifier: Apache-2.0
"""Scripts/demo's last part: two domains of a real libvirtd, whose metadata give them different policies, and the same transfers of both."""

import contextlib
import dataclasses

from . import image
from .libvirt import Libvirt, LibvirtService, interface_xml, policy_xml
from .network import Network
from .process import wait_until
from .traffic import Direction, ping
from .transfers import FarHost, Timing

POLICY = """\
apiVersion: vtcp/v1
classes:
  plain: {earlyAck: off}
  gold: {earlyAck: on, buffer: 4MiB, congestionControl: bbr}
default: plain
"""
LINK = "delay=10ms,loss=1%"
SIZE, COUNT = 1_000_000, 6


@dataclasses.dataclass
class Row:
    """A domain, what its metadata said, and how its transfers went."""

    domain: str
    policy: str
    timing: Timing


def measure_all(step):
    """All rows; `step` gives a context with a title, and a list for notes."""
    rows = []
    with contextlib.ExitStack() as stack:
        network = stack.enter_context(Network())
        network.add_bridge()
        with step("starting a libvirtd, vtcpd, and the hook between them"):
            libvirt = stack.enter_context(Libvirt(network, hook=image.libvirt_hook()))
            service = stack.enter_context(contextlib.closing(LibvirtService(libvirt, POLICY)))
        domains = {}
        for index, name in enumerate(("plain", "gold")):
            with step(f"virsh start {name}; its metadata say class='{name}'"):
                interfaces = interface_xml(f"/run/vtcp/{name}-0.sock", index)
                domains[name] = libvirt.define(name, interfaces=interfaces, metadata=policy_xml(f"class='{name}'"), index=index)
                domains[name].boot()
                ping(domains[name])
        for name, domain in domains.items():
            rows.append(_measured(domain, name, step))
        with step("virsh metadata plain --live: class='gold' from now on"):
            domains["plain"].set_metadata("<policy class='gold'/>")
            wait_until(lambda: service.nic("plain-0")["domain"].get("vmClass") == "gold", 10, "the event", service.events_process)
        rows.append(_measured(domains["plain"], "gold", step))
        for domain in domains.values():
            domain.destroy()
    return rows


def _measured(domain, policy, step):
    with step(f"guest to host, {SIZE // 1000} KB, 1 % lost, RTT 20 ms: {domain.name}, {policy}") as notes, FarHost(domain) as far:
        # The same frames are lost of each, counted from its first one.
        far.link(LINK)
        timing = far.transfers(Direction.TRANSMIT, SIZE, COUNT)
        notes.append(f"SHA-256 equal, {timing.finish:.0f} ms")
    return Row(domain.name, policy, timing)


def table(rows):
    """As lines."""
    lines = [
        f"  {f'libvirt: policy by metadata, mean of {COUNT}':<50}{'finish, ms':>14}{'acknowledged':>14}{'sent again by the guest':>26}",
        "  " + "-" * 104,
    ]
    for row in rows:
        timing = row.timing
        title = f"    {row.domain}, class='{row.policy}'"
        lines.append(f"{title:<52}{timing.finish:14.1f}{timing.acknowledgment:14.1f}{timing.retransmitted:26}")
    return lines + ["  The same guest, link and transfers; the last row after `virsh metadata --live`, with nothing restarted."]
