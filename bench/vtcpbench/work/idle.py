# SPDX-License-Identifier: Apache-2.0
"""A back-end with nothing to do."""

import time

from ..reading import Reading
from .work import Work

# Until the last answers of the start are through.
_SETTLE = 0.7
_MEBIBYTE = 1 << 10


class Idle(Work):
    """How soon it was there, what it holds, and what it does while a connected guest is silent."""

    share = 0.5

    def __init__(self):
        super().__init__("idle", "idle")

    def measure(self, session, seconds):
        time.sleep(_SETTLE)
        before = Reading.of(session.backend)
        time.sleep(seconds)
        used = Reading.of(session.backend).since(before)
        return {
            "start_up_ms": 1000 * session.start_up,
            "idle_wakeups_per_second": used.voluntary / used.moment,
            "idle_cpu_percent": 100 * used.cpu_seconds / used.moment,
            **_memory(session.backend.pid),
        }


def _memory(pid):
    """Resident memory in MiB by kind. Shared memory is the guest's, as far as the back-end touched it; huge pages are DPDK's own."""
    names = {"RssAnon": "rss_anonymous_mib", "RssFile": "rss_file_mib", "RssShmem": "rss_shared_mib", "HugetlbPages": "huge_pages_mib"}
    with open(f"/proc/{pid}/status") as file:
        rows = (line.split() for line in file)
        return {names[row[0][:-1]]: int(row[1]) / _MEBIBYTE for row in rows if row and row[0][:-1] in names}
