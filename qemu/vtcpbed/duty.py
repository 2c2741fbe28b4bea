# SPDX-License-Identifier: Apache-2.0
"""A virtual machine that waits for its turn on a processor."""

import contextlib
import os
import random
import signal
import threading
import time


class Duty:
    """Lets processes run for `on` of every `period` seconds and stops them in between, as a hypervisor does with virtual machines that share a
    processor. The back-end is not among them: that is the case which acceleration is for. Leaves them running at the end."""

    def __init__(self, processes, on, period, seed):
        self._pids = [process.pid for process in processes]
        self.on = on
        self.period = period
        self._random = random.Random(seed)
        self._origin = time.monotonic()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._alternate, daemon=True)

    def __enter__(self):
        if self.on < self.period:
            self._thread.start()
        return self

    def __exit__(self, *_):
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()
        self._send(signal.SIGCONT)

    def _send(self, number):
        for pid in self._pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _alternate(self):
        turn = self._origin
        while not self._ending.is_set():
            self._send(signal.SIGCONT)
            self._wait_for(turn + self.on)
            self._send(signal.SIGSTOP)
            turn += self.period
            self._wait_for(turn)

    def _wait_for(self, moment):
        self._ending.wait(max(0, moment - time.monotonic()))

    def wait_for_some_moment(self, running):
        """Sleeps until a moment of chance in one of the next turns; with `running`, one at which the processes run."""
        part = self.on if running else self.period
        turns = int((time.monotonic() - self._origin) / self.period) + 1
        moment = self._origin + turns * self.period + self._random.uniform(0, part)
        time.sleep(max(0, moment - time.monotonic()))
