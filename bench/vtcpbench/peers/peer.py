# SPDX-License-Identifier: Apache-2.0
"""What all peers have in common."""

from ..session import GUEST


class Peer:
    """One way from a guest to the network. `name` is for results, `label` for people."""

    # The guest's MTU: the largest that the peer's own documentation has for it.
    mtu = 1500

    def __init__(self, name, label):
        self.name = name
        self.label = label

    def missing(self, programs):
        """Why this peer can't be measured here, or None."""
        return None

    def start(self, session):
        """Starts the back-end and returns the path of the socket on which it waits for a front-end."""
        raise NotImplementedError

    def connect(self, session):
        """Makes the guest's TCP reach the host's: `start`, then a front-end with the kernel behind it."""
        socket = self.start(session)
        session.start_front_end(session.guest, socket, GUEST, self.mtu)
        session.wait_reachable()
