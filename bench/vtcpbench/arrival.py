# SPDX-License-Identifier: Apache-2.0
"""What arrives while TCP streams run, and what it costs."""

import time

from .reading import Reading


def arrived(backend, front_ends, receivers, seconds):
    """{metric: number} of an interval in the middle of the streams: what the receivers have read, and the processor's time of the back-end, if
    there is one, and of who plays the guest. Of two receivers the first one is the host's."""
    backends = [backend] if backend else []
    processes = backends + list(front_ends)
    octets_before, before = [octets_read(process) for process in receivers], [Reading.of(process) for process in processes]
    start = time.monotonic()
    time.sleep(seconds)
    length = time.monotonic() - start
    octets_after, after = [octets_read(process) for process in receivers], [Reading.of(process) for process in processes]
    counts = [later - earlier for earlier, later in zip(octets_before, octets_after)]
    gigabytes = sum(counts) / 1e9
    values = {"gigabits_per_second": 8 * gigabytes / length}
    used = [later.since(earlier) for earlier, later in zip(before, after)]
    if len(counts) == 2:
        values["transmit_gigabits_per_second"], values["receive_gigabits_per_second"] = (8e-9 * count / length for count in counts)
    if backends and gigabytes > 0:
        values["cpu_seconds_per_gigabyte"] = used[0].cpu_seconds / gigabytes
        values["cpu_percent"] = 100 * used[0].cpu_seconds / used[0].moment
        values["wakeups_per_second"] = used[0].voluntary / used[0].moment
        values["front_end_cpu_seconds_per_gigabyte"] = sum(one.cpu_seconds for one in used[1:]) / gigabytes
    return values


def octets_read(process):
    """How many the process has read so far."""
    with open(f"/proc/{process.pid}/io") as file:
        return int(next(line for line in file if line.startswith("rchar")).split()[1])
