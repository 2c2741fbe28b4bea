# SPDX-License-Identifier: Apache-2.0
"""Connections that last, while something changes and does not, by turns."""

import contextlib
import random
import statistics
import time

from .sending import Sending
from .work import Work

_TIMEOUT = 60
# Until the windows have found their size.
_BEGINNING = 5
_SLICE = 0.5


class Alternation(Work):
    """`alternation-WAY-N`: N connections of one guest, of which each goes on all the time. Slices of half a second come in pairs, one in which the peer's
    policy changes, if it is one whose policy does, and one in which it does not, either of them first by chance.

    `changed`: the rate of the first, of the other's, the median of all pairs. What differs from one minute to the next is the same for both.
    `fluctuation`: for each connection the median over all pairs of how far the two are apart, in parts of the one without; the largest."""

    def __init__(self, direction, flows, link=None):
        self.direction = direction
        self.flows = flows
        self.link = link
        way = {"transmit": "guest to host", "receive": "host to guest"}[direction]
        count = f"{flows} flow{'s' if flows > 1 else ''}"
        super().__init__(f"alternation-{direction}-{flows}{'-far' if link else ''}", f"TCP {way}, {count}{f', {link}' if link else ''}, by turns with and without")

    def prepare(self, session, peer):
        peer.connect(session)
        if self.link:
            session.add_far(self.link)

    def measure(self, session, seconds):
        chance = random.Random(self.name)
        pairs = []
        with contextlib.ExitStack() as stack:
            flows = []
            for _ in range(self.flows):
                ends = session.connection_to_far(_TIMEOUT) if self.link else session.connection_to_host(_TIMEOUT)
                flows.append(stack.enter_context(Sending(ends if self.direction == "transmit" else ends[::-1], b"cubic")))
            time.sleep(_BEGINNING)
            began, before = time.monotonic(), sum(flow.count for flow in flows)
            while time.monotonic() < began + 20 * seconds:
                turns = [True, False]
                chance.shuffle(turns)
                rates = {changes: self._rates(session, flows, changes) for changes in turns}
                pairs.append((rates[True], rates[False]))
            took, count = time.monotonic() - began, sum(flow.count for flow in flows) - before
        each = [statistics.median(with_[number] / max(without[number], 1) for with_, without in pairs) for number in range(self.flows)]
        return {
            "gigabits_per_second": count / took * 8e-9,
            "megabits_per_second": count / took * 8e-6,
            "changed": statistics.median(sum(with_) / max(sum(without), 1) for with_, without in pairs),
            "fluctuation": max(abs(share - 1) for share in each),
        }

    @staticmethod
    def _rates(session, flows, changes):
        """Of each connection, in octets a second."""
        session.changes(changes)
        start, before = time.monotonic(), [flow.count for flow in flows]
        time.sleep(_SLICE)
        after, took = [flow.count for flow in flows], time.monotonic() - start
        return [(now - then) / took for now, then in zip(after, before)]
