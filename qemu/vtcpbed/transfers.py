# SPDX-License-Identifier: Apache-2.0
"""Transfers between a guest and a host far away, by bench/transfers: how long each takes, on the clocks of both ends, and what arrives."""

import contextlib
import dataclasses
import itertools
import statistics

from . import image
from .network import Addresses, Network
from .process import BedError, wait_until
from .relay import Relay
from .traffic import Direction, put_file

FAR = Addresses("10.78.0.0/24", "fd78::/64")
_ports = itertools.count(30000)
# Between two transfers, in milliseconds: longer than the connection's timeout, as if it waited for its user. For each timeout Linux halves its
# congestion window then, down to the initial one.
_REST = 300
_CLOCK = "/sys/devices/system/clocksource/clocksource0/current_clocksource"


@dataclasses.dataclass
class Timing:
    """Of some transfers, without the first one, in which the connection begins. Times are in milliseconds."""

    finished: list  # from the sender's call of the socket until the receiver's application has everything
    acknowledged: list  # until the sender's kernel knows that everything has arrived
    retransmitted: int  # segments that the sender's kernel has sent again
    lost: int  # frames that the link has lost

    @property
    def finish(self):
        return statistics.fmean(self.finished)

    @property
    def acknowledgment(self):
        return statistics.fmean(self.acknowledged)


class FarHost:
    """A host behind a link, to which the guest's network is a router."""

    def __init__(self, guest):
        self._guest = guest
        self._stack = contextlib.ExitStack()
        self.network = self._stack.enter_context(Network())
        self._link = self._stack.enter_context(contextlib.ExitStack())
        guest.network.sysctl("net.ipv4.ip_forward=1")
        guest.sh(f"ip route replace default via {guest.network.addresses.host()}")
        # The kernel has measured how fast the processor's counter goes, on a busy machine. QEMU's HPET goes as fast as the host's clock.
        guest.sh(f"echo hpet >{_CLOCK}")
        put_file(guest, _program(), "/tmp/transfers")
        guest.sh("chmod +x /tmp/transfers")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stack.close()

    def link(self, options, seed=1):
        """Makes the link anew; `options` as --both of vtcp-relay has them."""
        self._link.close()
        self.relay = self._link.enter_context(Relay(self._guest.network, self.network, "--both", options, "--seed", seed, addresses=FAR))
        self.network.ip("route", "replace", "default", "via", FAR.host())

    def transfers(self, direction, size, count=5, seed=1, meanwhile=None):
        """`count` transfers of `size` octets on one connection, `meanwhile` a context: Timing. BedError if the digests differ."""
        port = next(_ports)
        roles = ("receive", "send") if direction is Direction.TRANSMIT else ("send", "receive")
        words = [size, count + 1, _REST, seed]
        log = f"/tmp/transfers-{port}.log"
        before = self._lost()
        host = self.network.start(f"transfers-{port}", [_program(), "listen", FAR.guest(), port, roles[0], *words])
        try:
            wait_until(lambda: "listening" in host.log(), 10, "transfers", host)
            command = ["exec", "/tmp/transfers", "connect", FAR.guest(), port, roles[1], *words]
            number = self._guest.start(" ".join(map(str, command)), log)
            wait_until(lambda: "clock " in host.log(), 30, "transfers", host)
            with meanwhile or contextlib.nullcontext():
                host.wait(60 + count, f"{direction}: {count} transfers of {size} octets")
        finally:
            host.stop()
            said = self._guest.sh(f"kill {number} 2>/dev/null; cat {log}")
        return self._timing(direction, _Words(host.log()), _Words(said), self._lost() - before)

    def _lost(self):
        report = self.relay.report()
        return sum(report[way]["lost"] for way in ("a_to_b", "b_to_a"))

    def _timing(self, direction, host, guest, lost):
        if host.digest != guest.digest:
            raise BedError(f"{direction}: octets were lost, added or changed on the way: the host's {host.digest}, the guest's {guest.digest}")
        ahead = host.rows["clock"][0][0]
        sender, receiver, shift = (guest, host, ahead) if direction is Direction.TRANSMIT else (host, guest, -ahead)
        rows = list(zip(sender.rows["sent"], receiver.rows["arrived"]))[1:]
        finished = [1e3 * (end + shift - start) for (start, _), (end,) in rows]
        acknowledged = [1e3 * (known - start) for (start, known), _ in rows]
        return Timing(finished, acknowledged, sender.retransmitted, lost)


class _Words:
    """What one end has printed."""

    def __init__(self, text):
        self.rows = {"clock": [], "sent": [], "arrived": []}
        self.digest = None
        for name, *values in (line.split() for line in text.splitlines() if line.strip()):
            if name in self.rows:
                self.rows[name].append(tuple(map(float, values)))
            elif name == "end":
                self.digest, self.retransmitted = (values[0], int(values[1])), int(values[2])
        if self.digest is None:
            raise BedError(f"transfers has not come to its end:\n{text}")


def _program():
    return image.compiled("transfers", "transfers/main.c", "flows/sha256.c", "flows/plan.c")
