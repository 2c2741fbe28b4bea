# SPDX-License-Identifier: Apache-2.0
"""One run of the bench."""

import random
import sys
import time

from .errors import CELL_ERRORS
from .sample import Sample
from .session import Session


class Run:
    """Goes through the parts, repetition by repetition, and fills the results. `huge_pages`: whether DPDK may have them."""

    def __init__(self, parts, results, programs, placement, repetitions, seconds, seed, huge_pages):
        self._parts = parts
        self._results = results
        self._programs = programs
        self._placement = placement
        self._repetitions = repetitions
        self._seconds = seconds
        self._random = random.Random(seed)
        self._huge_pages = huge_pages
        self._position = 0

    def go(self):
        for part in self._parts:
            for peer in part.peers:
                reason = peer.missing(self._programs)
                if reason is not None:
                    self._results.skipped[peer.name] = reason
        for repetition in range(1, self._repetitions + 1):
            for part in self._parts:
                self._repeat(part, repetition)

    def _repeat(self, part, repetition):
        started = time.monotonic()
        sys.stdout.write(f"  {part.title}, run {repetition} of {self._repetitions}".ljust(61))
        sys.stdout.flush()
        failed = 0
        for group in part.groups:
            peers = [peer for peer in part.peers if peer.name not in self._results.skipped]
            self._random.shuffle(peers)
            for peer in peers:
                failed += self._session(part, group, peer, repetition)
        print(f"{time.monotonic() - started:.1f} s" + (f", {failed} failed" if failed else ""))

    def _session(self, part, group, peer, repetition):
        """Measures a group of works with a peer; returns how many of them failed."""
        done = []
        try:
            with Session(self._programs, self._placement, self._huge_pages) as session:
                group[0].prepare(session, peer)
                for work in group:
                    self._add(part, work, peer, repetition, work.measure(session, self._seconds * work.share))
                    done.append(work)
        except CELL_ERRORS as error:
            for work in group[len(done) :]:
                self._add(part, work, peer, repetition, {}, str(error))
        return len(group) - len(done)

    def _add(self, part, work, peer, repetition, values, error=None):
        self._position += 1
        self._results.add(Sample(part.name, work.name, peer.name, repetition, self._position, values, error))
