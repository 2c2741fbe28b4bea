# SPDX-License-Identifier: Apache-2.0
"""Transfers on a persistent connection of a guest that shares its processor."""

import fcntl
import math
import socket
import statistics
import struct
import termios
import threading
import time

from vtcpbed.duty import Duty

from ..errors import BenchError
from ..standstills import Standstills, lost
from .work import Work

_SLICE = 0.030
# Between two transfers: longer than the connection's timeout, as if it waited for its user. For each timeout Linux halves its congestion window
# then, down to the initial one.
_REST = 0.7
_TIMEOUT = 30
# A transfer counts if the machine stood still for less than a tenth of a slice of it, or of the transfer's own time. So many times as many as are
# wanted are made at the most.
_STILL = 0.1
_TRIES = 3
_PIECE = 1 << 18


class Transfer(Work):
    """`size` octets from the guest to a host behind a link of so much round trip and loss, or back, again and again; the guest is one of
    `guests` that share a processor in slices of 30 ms, and the back-end is not.

    `finish_ms` ends when the receiving application has all, `acknowledged_ms` when the sending kernel knows of the last octet's arrival; both
    begin with the sender's call of the socket.

    `keeps_window`: the kernels at both ends go on with the congestion window that they had, as the module does (RFC 7661), instead of
    halving it for each timeout of rest, as is their default."""

    def __init__(self, direction, size, round_trip_ms, guests, loss=None, keeps_window=False):
        self.direction = direction
        self.size = size
        self.round_trip_ms = round_trip_ms
        self.guests = guests
        self.loss = loss
        self.keeps_window = keeps_window
        kind = f"{size // 1000}k-{round_trip_ms}ms-{guests}vms" + ("" if loss is None else "-loss") + ("-kept" if keeps_window else "")
        way = {"transmit": "guest to host", "receive": "host to guest"}[direction]
        text = f"{size // 1000} KB {way}, RTT {round_trip_ms} ms, {guests} VM{'s' if guests > 1 else ''} a core"
        super().__init__(f"{direction}-{kind}", text + ("" if loss is None else f", {loss} lost") + (", window kept" if keeps_window else ""))

    def prepare(self, session, peer):
        peer.connect(session)
        session.add_far(f"delay={self.round_trip_ms / 2}ms" + ("" if self.loss is None else f",loss={self.loss}"))
        for network in (session.far, session.guest):
            network.sysctl(f"net.ipv4.tcp_slow_start_after_idle={0 if self.keeps_window else 1}")

    def measure(self, session, seconds):
        guest, far = self._connection(session)
        sender, receiver = (guest, far) if self.direction == "transmit" else (far, guest)
        wanted = math.ceil(10 * seconds)
        with (
            guest,
            far,
            Standstills(session.host) as standstills,
            Duty(session.front_ends, _SLICE, _SLICE * self.guests, seed=self.size + self.guests) as duty,
        ):
            self._after_rest(duty, sender, receiver)
            # The first is the connection's own beginning.
            made = []
            while len(made) < _TRIES * wanted:
                made.append(self._after_rest(duty, sender, receiver))
                count = len(_undisturbed(made, standstills.seen()))
                if count >= (wanted if len(made) < 2 * wanted else wanted / 2):
                    break
            time.sleep(_REST)
            counted = _undisturbed(made, standstills.seen())
        if not counted:
            raise BenchError(f"this machine stood still in each of {len(made)} transfers")
        _, finish, acknowledged = zip(*counted)
        return {
            "finish_ms": 1000 * statistics.fmean(finish),
            "finish_median_ms": 1000 * statistics.median(finish),
            "acknowledged_ms": 1000 * statistics.fmean(acknowledged),
            "acknowledged_median_ms": 1000 * statistics.median(acknowledged),
            "finish_all_ms": 1000 * statistics.fmean(one[1] for one in made),
            "acknowledged_all_ms": 1000 * statistics.fmean(one[2] for one in made),
            "disturbed_percent": 100 * (1 - len(counted) / len(made)),
        }

    def _after_rest(self, duty, sender, receiver):
        """When a transfer began, and what it took."""
        time.sleep(_REST)
        # An application of the guest begins only while the guest runs.
        duty.wait_for_some_moment(running=self.direction == "transmit")
        return time.monotonic(), *self._once(sender, receiver)

    def _connection(self, session):
        """The guest's end and the far one."""
        ends = session.connection_to_far(_TIMEOUT)
        for end in ends:
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"cubic")
        return ends

    def _once(self, sender, receiver):
        """Seconds until the receiver had all, and until the sender's kernel knew."""
        arrived = []
        thread = threading.Thread(target=lambda: arrived.append(self._receive(receiver)), daemon=True)
        thread.start()
        start = time.monotonic()
        sender.sendall(bytes(self.size))
        while _unacknowledged(sender) and time.monotonic() < start + _TIMEOUT:
            time.sleep(0.0002)
        acknowledged = time.monotonic()
        thread.join(_TIMEOUT)
        if not arrived or arrived[0] is None:
            raise BenchError(f"{self.size} octets did not arrive within {_TIMEOUT} s")
        return arrived[0] - start, acknowledged - start

    def _receive(self, receiver):
        left = self.size
        while left:
            piece = receiver.recv(min(left, _PIECE))
            if not piece:
                return None
            left -= len(piece)
        return time.monotonic()


def _undisturbed(made, standstills):
    """Those transfers in which the machine ran."""
    return [one for one in made if lost(standstills, one[0], one[0] + max(one[1:])) < _STILL * max(_SLICE, *one[1:])]


def _unacknowledged(sender):
    """Octets that the sender's kernel still holds."""
    return struct.unpack("i", fcntl.ioctl(sender, termios.TIOCOUTQ, bytes(4)))[0]
