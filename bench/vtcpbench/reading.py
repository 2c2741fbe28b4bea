# SPDX-License-Identifier: Apache-2.0
"""What a process has used so far."""

import dataclasses
import os
import time


@dataclasses.dataclass(frozen=True)
class Reading:
    """Sums over all threads of the processes, at one moment."""

    moment: float
    cpu_seconds: float
    voluntary: int
    involuntary: int

    @classmethod
    def of(cls, *processes):
        """Now. The processor's time comes from the processes' CPU clocks: user and system time as in /proc/PID/stat, in nanoseconds."""
        voluntary = involuntary = 0
        for process in processes:
            mine, forced = _switches(process.pid)
            voluntary += mine
            involuntary += forced
        return cls(time.monotonic(), sum(_cpu_seconds(process.pid) for process in processes), voluntary, involuntary)

    def since(self, before):
        """What was used between two readings."""
        return Reading(
            self.moment - before.moment,
            self.cpu_seconds - before.cpu_seconds,
            self.voluntary - before.voluntary,
            self.involuntary - before.involuntary,
        )


def _cpu_seconds(pid):
    # The kernel's number of a process's clock: MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED) of <linux/posix-timers.h>.
    return time.clock_gettime((~pid << 3) | 2)


def _switches(pid):
    """(voluntary, involuntary) context switches: a voluntary one is a sleep, and so a later wake-up."""
    voluntary = involuntary = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status") as file:
            for line in file:
                if line.startswith("voluntary_ctxt_switches"):
                    voluntary += int(line.split()[1])
                elif line.startswith("nonvoluntary_ctxt_switches"):
                    involuntary += int(line.split()[1])
    return voluntary, involuntary
