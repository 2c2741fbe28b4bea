# SPDX-License-Identifier: Apache-2.0
"""What all kinds of work have in common."""

import itertools

from vtcpbed.process import wait_until

# In a namespace of its own each time; still, no port twice while an old connection dies.
ports = itertools.count(5000)


class Work:
    """One kind of work: `name` is for results, `title` for people."""

    # Of the time that a measurement has: less for what is steady sooner.
    share = 1.0

    def __init__(self, name, title):
        self.name = name
        self.title = title

    def prepare(self, session, peer):
        """What has to run before the work: by default the guest's TCP."""
        peer.connect(session)

    def measure(self, session, seconds):
        """Does the work for so long and returns {metric: number}."""
        raise NotImplementedError


def wait_listening(network, port, process):
    """Until something in the network listens on the TCP port."""
    suffix = f":{port:04X}"

    def listening():
        for name in ("tcp", "tcp6"):
            with open(f"/proc/{network.holder_pid}/net/{name}") as table:
                for line in table:
                    words = line.split()
                    # State 0A: TCP_LISTEN.
                    if len(words) > 3 and words[1].endswith(suffix) and words[3] == "0A":
                        return True
        return False

    wait_until(listening, 10, f"{process.name}'s socket", process, interval=0.002)
