# SPDX-License-Identifier: Apache-2.0
"""Live migration between two QEMUs on this machine: two network cards whose cables lead into one bridge."""

import dataclasses
import itertools
import os
import signal
import sys
import time

from .guest import Guest, TapDevice
from .network import Network
from .nic import NIC
from .process import BedError, wait_until


@dataclasses.dataclass
class Moved:
    """What one migration took."""

    # As QEMU has it: from the moment when the source stops to that when the destination may run. Milliseconds.
    downtime: int
    total: int
    # The longest time without an answer to a ping every 10 ms. Milliseconds.
    gap: float

    def __str__(self):
        return f"downtime {self.downtime} ms, longest ping gap {self.gap:.0f} ms, {self.total} ms in all"


class Bridge:
    """A network with two places for a guest, and the guest, which `move` brings from one to the other. `prefix` is the beginning of the
    command line of QEMUs and NICs."""

    def __init__(self, on_tap=False, nic_options=((), ()), prefix=(), **guest_options):
        self.network = Network()
        self._options = {**guest_options, "prefix": prefix}
        self._serial = 0
        self.nics = []
        self._devices = []
        bridge = self.network.add_bridge()
        for place in range(2):
            tap = self.network.add_tap(f"tap{place}", bridge=bridge)
            if on_tap:
                self._devices.append(TapDevice(tap))
                continue
            nic = NIC(self.network, f"tap:{tap}", name=f"nic{place}", options=nic_options[place], prefix=prefix)
            self.nics.append(nic)
            self._devices.append(nic.device())
        self._place = 0
        self.guest = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.guest is not None:
            self.guest.stop()
        for nic in self.nics:
            nic.close()
        self.network.close()

    def boot(self, qemu="10"):
        self.guest = Guest(self.network, self._devices[0], qemu=qemu, **self._options)
        return self.guest

    def move(self, qemu="10", seconds=90, before_end=None):
        """Migrates the guest to the other place, into a QEMU of that version. `before_end` is called when it has arrived, and before
        the source ends."""
        self._serial += 1
        self._place = 1 - self._place
        path = os.path.join(self.network.folder, f"migration{self._serial}")
        source = self.guest
        target = Guest(
            self.network, self._devices[self._place], qemu=qemu, wait=False, incoming=f"unix:{path}", **self._options
        )
        try:
            wait_until(lambda: os.path.exists(path), 20, "QEMU that waits for a guest", target.process)
            ping = Pings(self.network, source)
            source.qmp("migrate", uri=f"unix:{path}")
            state = {}

            def ended():
                state.update(source.qmp("query-migrate"))
                return state.get("status") in ("completed", "failed", "cancelled")

            wait_until(ended, seconds, "the migration's end", source.process, interval=0.05)
            if state["status"] != "completed":
                raise BedError(
                    f"the migration has {state['status']}: {state.get('error-desc', '')}\n"
                    f"{source.process.log_tail()}\n{target.process.log_tail()}"
                )
            wait_until(lambda: target.qmp("query-status")["status"] == "running", 20, "the guest's arrival", target.process)
            ping.wait_answer(after=time.monotonic())
            gap = ping.stop()
            if before_end is not None:
                before_end(target)
        except BaseException:
            target.stop()
            raise
        source.stop()
        self.guest = target.take_over()
        return Moved(state["downtime"], state["total-time"], gap)


# An echo request every 10 ms, and a line with the time for each answer.
_PING = """
import select, socket, struct, sys, time
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
due = time.monotonic()
number = 0
while True:
    rest = due - time.monotonic()
    if rest <= 0:
        number = (number + 1) & 0xffff
        words = (0x0800, 0, 0x7763, number)
        total = sum(words)
        total = (total & 0xffff) + (total >> 16)
        try:
            raw.sendto(struct.pack("!4H", words[0], ~total & 0xffff, *words[2:]), (sys.argv[1], 0))
        except OSError:
            pass
        due = max(due + 0.01, time.monotonic())
    elif select.select([raw], [], [], rest)[0]:
        packet = raw.recv(2048)
        if packet[20] == 0 and packet[24:26] == b"wc":
            print(time.monotonic(), flush=True)
"""


class Pings:
    """A ping of the guest every 10 ms."""

    _serial = itertools.count(1)

    def __init__(self, network, guest):
        address = network.addresses.guest(4, guest.index)
        self._process = network.start(f"ping{next(self._serial)}", [sys.executable, "-c", _PING, address])
        self.wait_answer(after=0)

    def answers(self):
        """When answers came, by the monotonic clock; the last line may be half there."""
        return [float(line) for line in self._process.lines()]

    def wait_answer(self, after, seconds=30):
        wait_until(lambda: any(answer > after for answer in self.answers()), seconds, "an answer to a ping", self._process)

    def stop(self):
        """The longest time between two answers, in milliseconds."""
        self._process.stop(signal.SIGKILL)
        answers = self.answers()
        return max(1000 * (after - before) for before, after in zip(answers, answers[1:]))
