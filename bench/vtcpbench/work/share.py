# SPDX-License-Identifier: Apache-2.0
"""Two bulk transfers that share a link: the guest's, and another guest's, whose NIC has no module."""

import time

from .sending import Sending
from .work import Work

_TIMEOUT = 30
# Until both have found their share.
_BEGINNING = 5


class Share(Work):
    """`share`: what the guest sends through the link, of what a second guest sends whose kernel's CUBIC is alone with it."""

    def __init__(self, link):
        self.link = link
        super().__init__("share", f"The guest's CUBIC beside another guest's, {link}")
        self._other = None

    def prepare(self, session, peer):
        peer.connect(session)
        session.add_far(self.link)
        self._other = session.add_guest()

    def measure(self, session, seconds):
        pairs = (session.connection_to_far(_TIMEOUT), session.connection_to_far(_TIMEOUT, network=self._other))
        with Sending(pairs[0], b"cubic") as ours, Sending(pairs[1], b"cubic") as native:
            time.sleep(_BEGINNING)
            before = (ours.count, native.count)
            time.sleep(40 * seconds)
            sent = (ours.count - before[0], native.count - before[1])
        return {"share": sent[0] / sent[1], "megabits_per_second": sum(sent) * 8 / (40e6 * seconds)}
