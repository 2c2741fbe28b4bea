# SPDX-License-Identifier: Apache-2.0
"""An impaired link between two networks: vtcp-relay, its TAPs moved to where they are wanted."""

import json
import signal

from . import image
from .network import Addresses, Network
from .process import BedError, wait_until


class Relay:
    """`device` in each of the two networks, and between them a link as the options say ("--both", "delay=10ms,loss=1%").

    The first network's end has the host's addresses, the second's those of a guest, or those of `Addresses` that are given; with
    `addresses=False` they have none, and neither of the kernels sends anything by itself.
    """

    device = "link0"

    def __init__(self, first, second, *options, addresses=True, mtu=1500):
        self._home = Network()
        # No frames of this namespace's own get into the relay before the TAPs have left it.
        self._home.sysctl("net.ipv6.conf.default.disable_ipv6=1")
        self.process = self._home.start("relay", [image.relay(), "--a", "tap:a0", "--b", "tap:b0", *options])
        wait_until(lambda: "relaying" in self.process.log(), 10, "the relay", self.process)
        named = addresses if isinstance(addresses, Addresses) else None
        for name, network, nets in (
            ("a0", first, (named or first.addresses).host_networks),
            ("b0", second, (named or second.addresses).guest_networks()),
        ):
            self._home.ip("link", "set", name, "mtu", mtu)
            self._home.ip("link", "set", name, "netns", network.holder_pid, "name", self.device)
            if addresses:
                for net in nets:
                    network.ip("address", "add", net, "dev", self.device)
            else:
                network.sysctl(f"net.ipv6.conf.{self.device}.disable_ipv6=1")
            network.ip("link", "set", self.device, "up")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def _reports(self):
        return [json.loads(line) for line in self.process.lines() if line.startswith("{")]

    def report(self):
        """What happened so far: {"a_to_b": {"arrived": ..., "lost": ..., ...}, "b_to_a": {...}, "seconds": ...}."""
        before = len(self._reports())
        self.process.send(signal.SIGUSR1)
        return wait_until(lambda: self._reports()[before:], 5, "a report", self.process)[0]

    def stop(self):
        """Ends it, and the TAPs with it."""
        status = self.process.stop()
        tail = self.process.log_tail()
        self._home.close()
        if status != 0:
            raise BedError(f"vtcp-relay ended with status {status}\n{tail}")
