# SPDX-License-Identifier: Apache-2.0
"""The program under test: one vtcp-nic."""

import os
import re
import signal
import time

from . import image
from .guest import VhostUserDevice
from .keeper import Keeper
from .process import wait_until


class NIC:
    """A running vtcp-nic in a network. `restart` starts it again after its end, with the same socket and state."""

    def __init__(self, network, uplink, queues=1, name="nic", connect=False, state=False, options=(), wait=True, survives=False, prefix=(), kept=False):
        """`kept`: a keeper holds what has to outlive it, so that it goes on with the same connection (docs/keeping.md)."""
        self.network = network
        self.socket = os.path.join(network.folder, f"{name}.sock")
        self.queues = queues
        self.connect = connect
        self.options = options
        self._uplink = uplink
        self.prefix = prefix
        self._name = name
        self._survives = survives
        # What a supervisor does: it holds the memory in which the NIC keeps what has to outlive it.
        self.state = os.memfd_create("vtcp-state", os.MFD_CLOEXEC) if state else None
        self.keeper = Keeper(network.folder) if kept else None
        self._ready = 0
        self.process = None
        self.start(wait)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def command(self):
        return [
            *self.prefix,
            image.nic(),
            f"--{'connect' if self.connect else 'socket-path'}={self.socket}",
            f"--uplink={self._uplink}",
            f"--queues={self.queues}",
            *([] if self.state is None else [f"--state-fd={self.state}"]),
            *os.environ.get("VTCP_NIC_OPTIONS", "").split(),
            *self.options,
        ]

    def start(self, wait=True):
        keep = () if self.state is None else (self.state,)
        if self.keeper is not None:
            return self._start_kept()
        self.process = self.network.start(self._name, self.command, keep_fds=keep, survives=self._survives)
        if wait and not self.connect:
            self.wait_listening()

    def _start_kept(self):
        self._ready = self.keeper.ready()
        self.process = self.network.start(
            self._name, self.command, survives=self._survives, handed=self.keeper.handed(), notify=self.keeper.path
        )
        self.keeper.wait_ready(self._ready + 1, self.process)

    def hand_over(self):
        """An upgrade: it ends by itself with everything kept, and the next one goes on."""
        status = self.process.stop(signal.SIGUSR2)
        assert status == 0, f"vtcp-nic ended with {status} at SIGUSR2\n{self.process.log_tail()}"
        self.start()

    def wait_listening(self, seconds=10):
        """Waits until the socket listens, without connecting to it, and returns how long after exec that was."""
        wait_until(self.listening, seconds, "vtcp-nic's socket", self.process, interval=0.0002)
        return time.monotonic() - self.process.started

    def listening(self):
        """Whether the process's socket is bound and listening, from the kernel's table (flag __SO_ACCEPTCON)."""
        try:
            with open(f"/proc/{self.process.pid}/net/unix") as table:
                rows = (line.split() for line in table)
                return any(row[-1] == self.socket and int(row[3], 16) & 0x10000 for row in rows if len(row) == 8)
        except (OSError, ValueError):
            return False

    def device(self):
        return VhostUserDevice(self.socket, self.queues, server=self.connect)

    def kill(self):
        """As a crash ends it: at once, without any chance to say goodbye."""
        self.process.stop(signal.SIGKILL)

    def restart(self, options=None):
        """With the same options, or others."""
        self.kill()
        if options is not None:
            self.options = options
        self.start()

    def stop(self):
        return self.process.stop(signal.SIGTERM)

    def close(self):
        self.stop()
        if self.state is not None:
            os.close(self.state)
            self.state = None
        if self.keeper is not None:
            self.keeper.close()
            self.keeper = None

    def counters(self, seconds=5):
        """What SIGUSR1 makes it log: one dictionary per queue of the `name=number` words in its line."""
        before = os.path.getsize(self.process.log_path)
        self.process.send(signal.SIGUSR1)

        def lines():
            with open(self.process.log_path, errors="replace") as log:
                log.seek(before)
                complete = [line for line in log.read().split("\n")[:-1]]
            rows = [dict(re.findall(r"([A-Za-z][\w.-]*)=(\d+)\b", line)) for line in complete]
            return [{name: int(value) for name, value in row.items()} for row in rows if row]

        wait_until(lines, seconds, "vtcp-nic's counters after SIGUSR1", self.process)
        # One write per line at most: what belongs to this signal is there when nothing more comes.
        count = 0
        while len(lines()) != count:
            count = len(lines())
            time.sleep(0.05)
        return lines()
