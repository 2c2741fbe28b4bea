# SPDX-License-Identifier: Apache-2.0
"""A bulk transfer to a host far away."""

import statistics
import time

from .sending import Sending
from .work import Work

_TIMEOUT = 60
# Until the window has found its size.
_BEGINNING = 5
_SLICE = 0.25


class Bulk(Work):
    """`bulk`: what the guest, whose congestion control is Reno, sends through the link. `slowest`: of the rate of all slices of a quarter of a
    second, the smallest, of their mean."""

    def __init__(self, link):
        self.link = link
        super().__init__("bulk", f"Guest to host, the guest's Reno, {link}")

    def prepare(self, session, peer):
        peer.connect(session)
        session.add_far(self.link)

    def measure(self, session, seconds):
        rates = []
        with Sending(session.connection_to_far(_TIMEOUT), b"reno") as sending:
            time.sleep(_BEGINNING)
            now, count = time.monotonic(), sending.count
            end = now + 20 * seconds
            while now < end:
                time.sleep(_SLICE)
                before, now = (now, count), time.monotonic()
                count = sending.count
                rates.append((count - before[1]) / (now - before[0]))
        mean = statistics.fmean(rates)
        return {"megabits_per_second": mean * 8e-6, "gigabits_per_second": mean * 8e-9, "slowest": min(rates) / mean}
