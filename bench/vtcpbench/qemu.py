# SPDX-License-Identifier: Apache-2.0
"""A real guest on a real QEMU: ours beside QEMU's own virtio-net on a TAP."""

import contextlib
import random
import sys
import time

from vtcpbed import Direction
from vtcpbed.demo import start_side

from . import metric
from .errors import CELL_ERRORS
from .part import Part
from .peers import Peer
from .sample import Sample
from .work.work import Work


class QemuRun:
    """The same guest twice, both booted for the whole run; the guests' processors are emulated where there is no KVM, and then they are what
    limits. QEMU's back-end is part of QEMU: the fair comparison of cost is that of everything that runs."""

    def __init__(self, results, repetitions, seed):
        self._results = results
        self._repetitions = repetitions
        self._random = random.Random(seed)
        peers = [Peer("ours", "vtcp-nic"), Peer("qemu", "QEMU's virtio-net on a TAP")]
        self._works = {direction: Work(direction.name.lower(), f"{direction}, 1 flow") for direction in Direction}
        others = (metric.CPU_PER_GIGABYTE, metric.CPU_ALL)
        self.part = Part("qemu", "TCP of a guest on QEMU 10, iperf3", peers, [list(self._works.values())], metric.GIGABITS, others, compared=False)

    def go(self):
        started = time.monotonic()
        sys.stdout.write(f"  {self.part.title}, {self._repetitions} runs".ljust(61))
        sys.stdout.flush()
        failed = 0
        try:
            with contextlib.ExitStack() as stack:
                sides = {"ours": start_side(stack, "vtcp-nic"), "qemu": start_side(stack, "QEMU TAP")}
                for repetition in range(1, self._repetitions + 1):
                    failed += self._repeat(sides, repetition)
        except CELL_ERRORS as error:
            failed += 1
            self._results.add(Sample("qemu", "boot", "both", 1, 0, {}, str(error)))
        print(f"{time.monotonic() - started:.1f} s" + (f", {failed} failed" if failed else ""))

    def _repeat(self, sides, repetition):
        failed = 0
        for direction, work in self._works.items():
            names = list(sides)
            self._random.shuffle(names)
            for position, name in enumerate(names):
                values, error = {}, None
                try:
                    sides[name].measure(direction)
                    run = sides[name].runs[direction][-1]
                    values = {"gigabits_per_second": run["throughput"], "cpu_seconds_per_gigabyte": run["backend"]}
                    values["cpu_seconds_per_gigabyte_with_guest"] = run["everything"]
                except CELL_ERRORS as failure:
                    failed += 1
                    error = str(failure)
                self._results.add(Sample("qemu", work.name, name, repetition, position, values, error))
        return failed
