# SPDX-License-Identifier: Apache-2.0
"""Timeouts of real kernels, in captures at the devices of both ends: those in vain, and whether the receiver's window was shut meanwhile.

A kernel takes a timeout for one in vain if something is acknowledged that it has not sent again since (RFC 5682). That is so if nothing was
lost, or if somebody else has repaired it.
"""

import bisect
import collections
import socket

from .segments import ACK, FIN, RST, SYN, segment_of, timed_packets

# Who was silent for so long has waited for a timer; the least of Linux is 200 ms.
_SILENCE = 0.15
_AHEAD = 1 << 31

# `waited`: since the octet was sent first. `is_fin`: only a FIN was outstanding.
Timeout = collections.namedtuple("Timeout", "source destination time waited was_shut is_fin in_vain")


def ways(path):
    """The directions of all connections in a capture: {(source, destination, first number): [(time, whether it is the source's, Segment)]}."""
    found, current = {}, {}
    for time, frame in timed_packets(path):
        segment = segment_of(frame)
        if segment is None:
            continue
        way = (segment.source, segment.destination)
        if segment.flags & SYN:
            current[way] = found.setdefault((*way, segment.number), [])
        for key, is_own in ((way, True), (way[::-1], False)):
            if key in current:
                current[key].append((time, is_own, segment))
    return found


def timeouts(near, far, addresses):
    """Timeouts of the senders that have `addresses`, at whose device the capture `near` was made; `far` is that of their receivers. The
    first octet that is not acknowledged was sent again after a silence; where the connection ended before that was acknowledged, it is not there.
    """
    sources = {socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address) for address in addresses}
    others = ways(far)
    return [
        timeout for way, events in ways(near).items() if way[0][0] in sources for timeout in _of_way(way, events, others.get(way, []))
    ]


class _Sender:
    """What a sender has sent and was told, in places counted from its SYN."""

    def __init__(self):
        self.unacknowledged = self.next = 1
        self.fin = None
        self.active = 0.0
        # When what begins at a place was sent first.
        self.places, self.times = [], []
        # Of the timeout in hand: when, up to where data were on their way, and what was sent again since.
        self.since = self.point = None
        self.again = []

    def sent(self, time, begin, end):
        if begin < self.next:
            is_first = begin <= self.unacknowledged < end
            if self.since is None and is_first and time - self.active > _SILENCE:
                self.since, self.point, self.again = time, self.next, []
            self.again.append((begin, end))
        else:
            self.places.append(begin)
            self.times.append(time)
        self.next = max(self.next, end)
        self.active = time

    def news(self, number, blocks, first):
        """The spans that an acknowledgment is of; SACK blocks below its number are of what came twice."""
        spans = [tuple((edge - first) % (1 << 32) for edge in block) for block in blocks]
        spans = [span for span in spans if max(number, self.unacknowledged) < span[0] < span[1] <= self.next]
        return [*spans, (self.unacknowledged, number)] if self.unacknowledged < number <= self.next else spans

    def is_original(self, begin, end):
        """Something of it was not sent again."""
        for first, last in sorted(self.again):
            if first > begin:
                break
            begin = max(begin, last)
        return begin < min(end, self.point)

    def first_sent(self):
        return self.times[bisect.bisect_right(self.places, self.unacknowledged) - 1]


def _of_way(way, events, far):
    source, destination, first = way
    sender = _Sender()
    for time, is_own, segment in events:
        if segment.flags & (SYN | RST):
            continue
        if is_own:
            begin = (segment.number - first) % (1 << 32)
            end = begin + len(segment.octets) + bool(segment.flags & FIN)
            if segment.flags & FIN:
                sender.fin = end - 1
            if begin < end < _AHEAD:
                sender.sent(time, begin, end)
        elif segment.flags & ACK:
            number = (segment.acknowledgment - first) % (1 << 32)
            is_vain = sender.since is not None and any(sender.is_original(*span) for span in sender.news(number, segment.blocks, first))
            if is_vain or sender.since is not None and sender.point <= number <= sender.next:
                began = sender.first_sent()
                is_fin = sender.unacknowledged == sender.fin
                yield Timeout(source, destination, sender.since, sender.since - began, _was_shut(far, began, sender.since), is_fin, is_vain)
                sender.since = None
            if sender.unacknowledged < number <= sender.next:
                sender.unacknowledged, sender.active = number, time


def _was_shut(far, begin, end):
    """Whether the receiver's window was shut at any time in between, as it said itself."""
    windows = [(time, segment.window) for time, is_own, segment in far if not is_own and segment.flags & (ACK | RST) == ACK]
    before = [window for time, window in windows if time < begin][-1:]
    return 0 in before + [window for time, window in windows if begin <= time <= end]
