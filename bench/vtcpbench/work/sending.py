# SPDX-License-Identifier: Apache-2.0
"""A connection of which one end sends all the time."""

import contextlib
import socket
import threading

_PIECE = bytes(1 << 16)


class Sending:
    """`count`: the octets that the other end has received."""

    def __init__(self, pair, congestion):
        self._ends = pair
        self.count = 0
        sender, _ = pair
        sender.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, congestion)
        for work in (self._send, self._receive):
            threading.Thread(target=work, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _send(self):
        with contextlib.suppress(OSError):
            while True:
                self._ends[0].sendall(_PIECE)

    def _receive(self):
        with contextlib.suppress(OSError):
            while octets := len(self._ends[1].recv(len(_PIECE))):
                self.count += octets
