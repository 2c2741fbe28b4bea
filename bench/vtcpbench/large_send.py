# SPDX-License-Identifier: Apache-2.0
"""Packets of more than 64 KiB of a real guest's, beside those of 64 KiB (docs/large-send.md)."""

import contextlib
import random
import sys
import time

from . import metric
from .arrival import arrived
from .errors import CELL_ERRORS, BenchError
from .part import Part
from .peers import Peer
from .sample import Sample
from .sized_guest import ORDINARY_SIZE, SizedGuest
from .standstills import Standstills, lost
from .work.work import Work

_MEBIBYTE = 1 << 20
# A question counts if no processor of this machine stood still from so many seconds before it to as many after it: what had waited is gone by then,
# and the guest's clock is not known better.
_NEAR = 0.001
_SIZES = {"64k": ORDINARY_SIZE, "256k": 262_144, "512k": 524_280, "512k-early": 524_280}
_PEERS = {
    "64k": "64 KiB, one stage",
    "256k": "256 KiB, two stages",
    "512k": "512 KiB, two stages",
    "512k-early": "512 KiB, early acknowledgment",
}


class LargeSendRun:
    """One guest, booted for the whole run, whose connections have packets of another size by turns; a second one for the vTCP module. The guests'
    processors are emulated where there is no KVM."""

    def __init__(self, results, repetitions, seconds, seed):
        self._results = results
        self._repetitions = repetitions
        self._seconds = seconds
        self._random = random.Random(seed)
        works = []
        for family in (4, 6):
            works += [Work(f"bulk-ipv{family}", f"bulk transfer to the host, IPv{family}")]
            works += [Work(f"questions-ipv{family}", f"questions beside it, IPv{family}")]
        self.part = Part(
            "large-send",
            "A guest's packets of more than 64 KiB",
            [Peer(name, label) for name, label in _PEERS.items()],
            [works[:2], works[2:]],
            metric.GUEST_PACKETS,
            (metric.GIGABITS, metric.CPU_PER_GIGABYTE, metric.FRONT_END_CPU, metric.WAKEUPS, metric.P50, metric.P99, metric.DISTURBED),
            compared=False,
        )

    def go(self):
        names = [peer.name for peer in self.part.peers]
        failed = 0
        with contextlib.ExitStack() as stack:
            try:
                guests = {early: SizedGuest(stack, ["--vtcp=early"] if early else []) for early in {_is_early(name) for name in names}}
            except CELL_ERRORS as error:
                for work in self.part.works:
                    for name in names:
                        self._add(work, name, 1, 0, {}, str(error))
                return
            for repetition in range(1, self._repetitions + 1):
                started = time.monotonic()
                sys.stdout.write(f"  {self.part.title}, run {repetition} of {self._repetitions}".ljust(61))
                sys.stdout.flush()
                for group in self.part.groups:
                    self._random.shuffle(names)
                    for position, name in enumerate(names):
                        failed += self._cell(guests[_is_early(name)], group, name, repetition, position)
                print(f"{time.monotonic() - started:.1f} s" + (f", {failed} failed" if failed else ""))

    def _cell(self, guest, group, name, repetition, position):
        """Does the works of a group beside one bulk transfer; returns how many of them failed."""
        done = []
        family = int(group[0].name[-1])
        try:
            guest.set_size(_SIZES[name])
            with guest.sending(family) as receiver:
                for work in group:
                    values = self._bulk(guest, receiver) if work.name.startswith("bulk") else self._questions(guest, family)
                    self._add(work, name, repetition, position, values)
                    done.append(work)
        except CELL_ERRORS as error:
            for work in group[len(done) :]:
                self._add(work, name, repetition, position, {}, str(error))
        return len(group) - len(done)

    def _bulk(self, guest, receiver):
        before = guest.transmitted()
        values = arrived(guest.nic.process, [guest.guest.process], [receiver], self._seconds)
        packets, octets = (later - earlier for earlier, later in zip(before, guest.transmitted()))
        return values | {"guest_packets_per_mebibyte": packets * _MEBIBYTE / octets}

    def _questions(self, guest, family):
        with Standstills(guest.network) as standstills:
            asked = guest.ask(family, self._seconds)
            # One that has not ended is not told yet.
            time.sleep(_NEAR)
            seen = standstills.seen()
        counted = [took for begin, took in asked if not lost(seen, begin - _NEAR, begin + took + _NEAR)]
        if not counted:
            raise BenchError(f"this machine stood still at each of {len(asked)} questions")
        values = {"disturbed_percent": 100 * (1 - len(counted) / len(asked))}
        for end, times in (("", sorted(counted)), ("_all", sorted(took for _, took in asked))):
            values |= {f"p50{end}_us": 1e6 * times[len(times) // 2], f"p99{end}_us": 1e6 * times[len(times) * 99 // 100]}
        return values

    def _add(self, work, name, repetition, position, values, error=None):
        self._results.add(Sample(self.part.name, work.name, name, repetition, position, values, error))


def _is_early(name):
    return name.endswith("-early")
