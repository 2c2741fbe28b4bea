# SPDX-License-Identifier: Apache-2.0
"""How much a sender had on its way, by a capture of one leg, and what it made of losses."""

import collections
import statistics

from .segments import ACK, SYN
from .timeouts import ways

# Between two losses, from the second on (the first is slow start's, which goes on losing while it recovers): `before`: segments on their way when the receiver told of the first gap; `after`: when the window was full again, a round
# trip after the last of them was acknowledged; `growth`: segments a round trip from then until the next gap.
Cycle = collections.namedtuple("Cycle", "before after growth")


class Flight:
    """Of the busiest direction of all connections in a capture. `most` is the largest number of segments on their way while nothing was
    missing, `again` how many were sent again, `gaps` how many acknowledgments told that something is missing; `cycles` are those that begin
    with a window that fills the path, `full` segments or about so many."""

    def __init__(self, path, segment_size, full):
        self._size = segment_size
        (*_, self._first), events = max(ways(path).items(), key=lambda way: sum(len(segment.octets) for _, is_own, segment in way[1] if is_own))
        self.most = self.again = self.gaps = 0
        self.cycles = []
        # Places in the stream. Until `_point` is acknowledged a gap is of the same loss; until `_full` the window is not yet full again.
        self._next = self._acknowledged = 1
        self._point = self._full = 0
        self._losses = 0
        self._before = self._after = None
        # Round trips since the window was full again: of what was on its way, how much was acknowledged.
        self._rounds = 0.0
        for _, is_own, segment in events:
            if is_own:
                self._sent(segment)
            elif segment.flags & (SYN | ACK) == ACK:
                self._told(segment)
        # Slow start fills it twice; and who is held up sends a burst then, which is too much for a queue long before the window is.
        self.cycles = [cycle for cycle in self.cycles if 0.75 * full < cycle.before < 1.25 * full]

    def median(self, name):
        """Of a field of the cycles."""
        return statistics.median(getattr(cycle, name) for cycle in self.cycles)

    def kept(self):
        """What remains of a window after a loss: the median."""
        return statistics.median(cycle.after / cycle.before for cycle in self.cycles)

    @property
    def _in_flight(self):
        return (self._next - self._acknowledged) / self._size

    def _place(self, number):
        return (number - self._first) % (1 << 32)

    def _sent(self, segment):
        if not segment.octets:
            return
        begin = self._place(segment.number)
        self.again += begin < self._next
        self._next = max(self._next, begin + len(segment.octets))
        if self._acknowledged >= self._point:
            self.most = max(self.most, self._in_flight)

    def _told(self, segment):
        place = self._place(segment.acknowledgment)
        is_gap = any(self._place(start) > place for start, _ in segment.blocks)
        self.gaps += is_gap
        if is_gap and self._acknowledged >= self._point:
            self._lost()
        if self._acknowledged < place <= self._next:
            news, self._acknowledged = (place - self._acknowledged) / self._size, place
            self._went_on(news)

    def _lost(self):
        self._losses += 1
        if self._after is not None and self._rounds > 1 and self._losses > 2:
            self.cycles.append(Cycle(self._before, self._after, (self._in_flight - self._after) / self._rounds))
        self._before, self._after, self._rounds = self._in_flight, None, 0.0
        self._point, self._full = self._next, None

    def _went_on(self, news):
        if self._before is None or self._acknowledged < self._point:
            return
        if self._full is None:
            self._full = self._next
        elif self._after is None and self._acknowledged >= self._full:
            self._after = self._in_flight + news
        elif self._after is not None:
            self._rounds += news / max(self._in_flight + news, 1)
