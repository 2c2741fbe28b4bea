# SPDX-License-Identifier: Apache-2.0
"""Two bulk transfers that share a link: the guest's, and another guest's, whose NIC has no module."""

import contextlib
import socket
import threading
import time

from .work import Work

_TIMEOUT = 30
_PIECE = bytes(1 << 16)
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
        pairs = [session.connection_to_far(_TIMEOUT), session.connection_to_far(_TIMEOUT, network=self._other)]
        counts = [0, 0]
        with contextlib.ExitStack() as stack:
            for place, (sender, receiver) in enumerate(pairs):
                stack.enter_context(sender)
                stack.enter_context(receiver)
                sender.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"cubic")
                threading.Thread(target=_send, args=(sender,), daemon=True).start()
                threading.Thread(target=_count, args=(receiver, counts, place), daemon=True).start()
            time.sleep(_BEGINNING)
            before = list(counts)
            time.sleep(20 * seconds)
            ours, native = (after - begin for after, begin in zip(counts, before))
        return {"share": ours / native, "megabits_per_second": (ours + native) * 8 / (20e6 * seconds)}


def _send(end):
    with contextlib.suppress(OSError):
        while True:
            end.sendall(_PIECE)


def _count(end, counts, place):
    with contextlib.suppress(OSError):
        while octets := len(end.recv(len(_PIECE))):
            counts[place] += octets
