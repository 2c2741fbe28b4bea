# SPDX-License-Identifier: Apache-2.0
"""Short questions and answers beside a bulk transfer, over a link that both fill."""

import contextlib
import threading
import time

from .work import Work

_TIMEOUT = 30
_PIECE = bytes(1 << 16)
_PAUSE = 0.005


class Questions(Work):
    """One octet there and one back, again and again, while another connection of the same guest sends all that the link takes, in `direction`.

    `p50_us` and `p99_us` are from the question's call of the socket to the answer."""

    def __init__(self, direction, link):
        self.direction = direction
        self.link = link
        way = {"transmit": "guest to host", "receive": "host to guest"}[direction]
        super().__init__(f"questions-{direction}", f"Questions beside a bulk transfer {way}, {link}")

    def prepare(self, session, peer):
        peer.connect(session)
        session.add_far(self.link)

    def measure(self, session, seconds):
        bulk, questions = (session.connection_to_far(_TIMEOUT) for _ in range(2))
        threads = [
            threading.Thread(target=_send_all, args=bulk if self.direction == "transmit" else bulk[::-1], daemon=True),
            threading.Thread(target=_answer, args=questions[1:], daemon=True),
        ]
        with contextlib.ExitStack() as stack:
            for end in (*bulk, *questions):
                stack.enter_context(end)
            for thread in threads:
                thread.start()
            # The bulk transfer's beginning is not what is measured.
            time.sleep(2)
            took = sorted(_questions(questions[0], 4 * seconds))
        return {"p50_us": 1e6 * took[len(took) // 2], "p99_us": 1e6 * took[len(took) * 99 // 100]}


def _send_all(sender, receiver):
    threading.Thread(target=_discard, args=(receiver,), daemon=True).start()
    with contextlib.suppress(OSError):
        while True:
            sender.sendall(_PIECE)


def _discard(receiver):
    with contextlib.suppress(OSError):
        while receiver.recv(len(_PIECE)):
            pass


def _answer(end):
    with contextlib.suppress(OSError):
        while octet := end.recv(1):
            end.sendall(octet)


def _questions(end, seconds):
    """Seconds that each took."""
    deadline = time.monotonic() + seconds
    while (start := time.monotonic()) < deadline:
        end.sendall(b"?")
        end.recv(1)
        yield time.monotonic() - start
        time.sleep(_PAUSE)
