# SPDX-License-Identifier: Apache-2.0
"""A bulk transfer to a host far away."""

import time

from .sending import Sending
from .work import Work

_TIMEOUT = 60
# Until the window has found its size.
_BEGINNING = 5


class Bulk(Work):
    """`bulk`: what the guest, whose congestion control is Reno, sends through the link."""

    def __init__(self, link):
        self.link = link
        super().__init__("bulk", f"Guest to host, the guest's Reno, {link}")

    def prepare(self, session, peer):
        peer.connect(session)
        session.add_far(self.link)

    def measure(self, session, seconds):
        with Sending(session.connection_to_far(_TIMEOUT), b"reno") as sending:
            time.sleep(_BEGINNING)
            began, before = time.monotonic(), sending.count
            time.sleep(20 * seconds)
            rate = (sending.count - before) / (time.monotonic() - began)
        return {"megabits_per_second": rate * 8e-6, "gigabits_per_second": rate * 8e-9}
