# SPDX-License-Identifier: Apache-2.0
"""Which processors the processes of a session may use."""

import contextlib
import os


class Placement:
    """The same for every peer. `free`: as the scheduler likes. `back-end`: the back-end has the last processor to run on, as DPDK's polling
    thread always has, and everything else runs where the scheduler likes, on that one too."""

    MODES = ("free", "back-end")

    def __init__(self, mode):
        self.mode = mode
        self.processors = sorted(os.sched_getaffinity(0))

    @property
    def polled(self):
        """The processor of a polling thread that must be given one."""
        return self.processors[-1]

    def place(self, process, role):
        if self.mode == "back-end" and role == "backend":
            with contextlib.suppress(ProcessLookupError):
                os.sched_setaffinity(process.pid, {self.polled})
