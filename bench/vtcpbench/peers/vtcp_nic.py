# SPDX-License-Identifier: Apache-2.0
"""Ours."""

from ..session import HOST
from .peer import Peer


class VtcpNIC(Peer):
    """vtcp-nic with an uplink (tap, packet, null), a polling mode, and a mode of the vTCP module."""

    options = ()

    def __init__(self, name, label, uplink="tap", poll="never", module="off"):
        super().__init__(name, label)
        self._module = module
        self._uplink = uplink
        self._poll = poll

    def start(self, session):
        uplink = "null"
        if self._uplink == "tap":
            session.interface = session.add_tap(session.host, HOST)
            uplink = f"tap:{session.interface}"
        elif self._uplink == "packet":
            # The NIC is at one end of a veth pair, the host at the other.
            session.host.ip("link", "add", "nic0", "type", "veth", "peer", "name", "veth0")
            session.host.ip("link", "set", "nic0", "up")
            session.configure(session.host, "veth0", HOST)
            session.interface = "veth0"
            uplink = "packet:nic0"
        socket = session.path("nic")
        command = [session.programs.nic, f"--socket-path={socket}", f"--uplink={uplink}", f"--poll={self._poll}"]
        if self._module != "off":
            command.append(f"--vtcp={self._module}")
        session.start_backend("vtcp-nic", [*command, *self.options], [socket])
        return socket
