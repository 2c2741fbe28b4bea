# SPDX-License-Identifier: Apache-2.0
"""How long this machine has its programs wait for a processor."""

import threading
import time

_PAUSE = 0.005
# What a timer may be late by on any machine, and what the NIC makes up for (docs/policy.md, shape).
_USUAL = 0.015


class Lateness:
    """As a context manager: `share` is the part of the time that a program which only sleeps was kept waiting for, where it was kept for long. What is
    said of a rate holds where that is next to nothing."""

    def __init__(self):
        self.share = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()

    def _watch(self):
        began = now = time.monotonic()
        lost = 0.0
        while not self._ended.is_set():
            time.sleep(_PAUSE)
            before, now = now, time.monotonic()
            late = now - before - _PAUSE
            lost += late if late > _USUAL else 0
        self.share = lost / (now - began)
