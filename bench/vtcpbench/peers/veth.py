# SPDX-License-Identifier: Apache-2.0
"""No virtual machine at all."""

from ..session import GUEST, HOST
from .peer import Peer


class Veth(Peer):
    """A veth pair between the two namespaces: what the kernel's TCP does here when nothing stands between. Not a rival but the limit."""

    def __init__(self):
        super().__init__("veth", "veth (kernel limit)")

    def connect(self, session):
        session.host.ip("link", "add", "veth0", "type", "veth", "peer", "name", "veth1", "netns", session.guest.holder_pid)
        session.configure(session.host, "veth0", HOST)
        session.configure(session.guest, "veth1", GUEST)
        session.interface = "veth0"
        session.wait_reachable()
