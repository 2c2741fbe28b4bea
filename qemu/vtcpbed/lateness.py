# SPDX-License-Identifier: Apache-2.0
"""How long this machine has its programs wait for a processor, and what that leaves to be said by the clock."""

import contextlib
import threading
import time

_PAUSE = 0.005
# The part of the time up to which a machine is on time.
_SHARE = 0.01
_TRIES, _FAILURES = 3, 2


class Lateness:
    """As a context manager: `share` is the part of the time that a program which only sleeps was kept waiting for, where it was kept for longer than
    `usual` seconds, which a timer may be late by on any machine. What is said of a rate holds where that is next to nothing."""

    def __init__(self, usual=0.015):
        self.share = 0.0
        self._usual = usual
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()

    @property
    def is_great(self):
        return self.share >= _SHARE

    def _watch(self):
        began = now = time.monotonic()
        lost = 0.0
        while not self._ended.is_set():
            time.sleep(_PAUSE)
            before, now = now, time.monotonic()
            late = now - before - _PAUSE
            lost += late if late > self._usual else 0
        self.share = lost / (now - began)


class Untimely(AssertionError):
    """What the clock said was not so."""


@contextlib.contextmanager
def timed():
    """What is asserted within is judged by the clock, and is not believed of a machine that is late. All else holds whatever the machine does."""
    try:
        yield
    except AssertionError as error:
        raise Untimely(str(error)) from error


def judged_by_the_clock(test):
    """Runs `test`, and again if it was Untimely: raises that if it was so more than once while programs ran on time; any other failure is raised at
    once. If they had to wait in most of the tries, returns in words for how long, and what failed last: that says nothing of us."""
    waits = []
    for tried in range(1, _TRIES + 1):
        with Lateness(usual=0.005) as lateness:
            try:
                test()
                return None
            except Untimely as error:
                failed = error
        if lateness.is_great:
            waits.append(f"{lateness.share:.0%}")
        if tried - len(waits) == _FAILURES:
            raise failed
    return f"programs had to wait for a processor for {', '.join(waits)} of the time; the last try failed by: {failed}"
