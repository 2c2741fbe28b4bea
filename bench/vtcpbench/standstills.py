# SPDX-License-Identifier: Apache-2.0
"""When this machine's processors stood still."""

import os

from vtcpbed import image
from vtcpbed.process import wait_until


class Standstills:
    """As a context manager: watches every processor. A virtual machine's stand still while its hypervisor has others run; what such a moment falls into
    says something of the machine and nothing of what was measured."""

    def __init__(self, network):
        """`network` is where processes are started."""
        self._network = network
        self._watches = []

    def __enter__(self):
        for processor in sorted(os.sched_getaffinity(0)):
            command = [image.bench(), "standstills", "--processor", processor]
            self._watches.append(self._network.start(f"standstills-{processor}", command))
        for watch in self._watches:
            wait_until(lambda watch=watch: "ready" in watch.lines(), 10, "a watch over a processor", watch)
        return self

    def __exit__(self, *_):
        for watch in self._watches:
            watch.stop()
        self._watches = []

    def seen(self):
        """[(begin, end)] so far, in seconds of the monotonic clock, in order; of two processors that stood still at once it is one."""
        rows = (line.split() for watch in self._watches for line in watch.lines())
        merged = []
        for begin, end in sorted((int(row[0]) / 1e9, int(row[1]) / 1e9) for row in rows if len(row) == 2):
            if merged and begin <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((begin, end))
        return merged


def lost(standstills, begin, end):
    """Seconds of the time from `begin` to `end` in which a processor stood still; `standstills` as `seen` has them."""
    return sum(max(0.0, min(end, last) - max(begin, first)) for first, last in standstills)
