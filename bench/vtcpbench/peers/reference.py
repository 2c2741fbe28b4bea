# SPDX-License-Identifier: Apache-2.0
"""The least that can do the work."""

from ..session import HOST
from .peer import Peer


class Reference(Peer):
    """The back-end in C of this bench (bench/reference): one thread, readv and writev, no more checks than it needs to run."""

    def __init__(self, name="c", label="C back-end", uplink="tap"):
        super().__init__(name, label)
        self._uplink = uplink

    def start(self, session):
        socket = session.path("c")
        way = ["--uplink", "null"]
        if self._uplink == "tap":
            session.interface = session.add_tap(session.host, HOST)
            way = ["--tap", session.interface]
        session.start_backend("reference", [session.programs.reference, "--socket-path", socket, *way], [socket])
        return socket
