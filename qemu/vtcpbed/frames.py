# SPDX-License-Identifier: Apache-2.0
"""Frames made here, and the proof that they came back octet by octet: for front-ends whose "guest" is no Linux with an agent."""

import itertools
import os
import random
import select
import socket
import struct
import time

from .process import BedError, inside

_ETH_P_IP = 0x0800
_SOL_PACKET = 263
_PACKET_IGNORE_OUTGOING = 23
# Locally administered addresses that belong to nobody in the network: the host's own stack leaves such frames alone.
_OURS = bytes.fromhex("0a7700000001")
_THEIRS = bytes.fromhex("0a7700000002")
# Of frames that nobody waits for.
_STRAY_PORT = 1023
# A TAP keeps a flow on its queue for seconds: each exchange has flows of its own.
_first_ports = itertools.cycle(range(1024, 65536 - 64, 64))


def checksum(data):
    """The Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def datagram(payload, port, number):
    """An Ethernet frame with a UDP datagram (without a checksum, which IPv4 allows); frames of one port are one flow."""
    udp = struct.pack("!HHHH", port, 9, 8 + len(payload), 0) + payload
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), number & 0xFFFF, 0, 64, 17, 0, b"\x0a\x4d\x00\x01", b"\x0a\x4d\x00\x63")
    header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
    return _THEIRS + _OURS + struct.pack("!H", _ETH_P_IP) + header + udp


def _port(frame):
    """The source port of a datagram; -1 of what is too short to be one of ours."""
    return struct.unpack_from("!H", frame, 34)[0] if len(frame) >= 46 else -1


def swapped(frame):
    """What a forwarder that swaps the MAC addresses makes of it."""
    return frame[6:12] + frame[:6] + frame[12:]


class Wire:
    """A packet socket at an interface of the network: the far end of the cable, below the host's own stack."""

    def __init__(self, network, device):
        with inside(network.path):
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_IP))
            self._socket.bind((device, _ETH_P_IP))
        self._socket.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self._socket.setblocking(False)

    def close(self):
        self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, frame):
        select.select([], [self._socket], [], 5)
        self._socket.send(frame)

    def receive(self, seconds):
        """The next frame addressed to us, or None if there is none in that time."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                frame = self._socket.recv(1 << 17)
                if frame[:6] == _OURS:
                    return frame
            except BlockingIOError:
                rest = deadline - time.monotonic()
                if rest <= 0 or not select.select([self._socket], [], [], rest)[0]:
                    return None

    def _receive_awaited(self, seconds):
        """The same, but for those that nobody waits for."""
        while (frame := self.receive(seconds)) is not None and _port(frame) == _STRAY_PORT:
            pass
        return frame

    def send_many(self, count):
        """Frames that nobody waits for: whoever exchanges others later leaves out those that come back meanwhile."""
        for number in range(count):
            self.send(datagram(os.urandom(500), _STRAY_PORT, number))

    def drain(self, seconds=0.0):
        while self.receive(seconds) is not None:
            pass

    def exchange(self, count, largest=1514, window=32, flows=1, seed=0, seconds=20):
        """Sends random frames of all sizes, at most `window` on the way, and compares each with what a forwarder that swaps MAC addresses
        sends back: none lost, none changed, none twice; in order within a flow."""
        assert flows <= 64
        self.drain()
        first = next(_first_ports)
        noise = random.Random(seed)
        material = os.urandom(largest)
        expected = [[] for _ in range(flows)]
        sent = back = 0
        while back < count:
            # A TAP's flow is on one of its queues by the flow's hash until a frame has come back by another. Who reads the queues may overtake
            # then, and the TAP learns only after we could receive that frame: so each flow begins with three frames, one at a time.
            while sent < count and sent - back < window and (sent >= 3 * flows or not expected[sent % flows]):
                size = noise.choice((60, largest, largest - 1, noise.randint(60, largest), noise.randint(60, largest)))
                start = noise.randrange(largest - size + 1)
                payload = struct.pack("!I", sent) + material[start : start + size - 46]
                frame = datagram(payload, first + sent % flows, sent)
                expected[sent % flows].append(swapped(frame))
                self.send(frame)
                sent += 1
            frame = self._receive_awaited(seconds)
            if frame is None:
                raise BedError(f"of {sent} frames {back} came back, the next not within {seconds} s")
            number = struct.unpack_from("!I", frame, 42)[0] if len(frame) >= 46 else -1
            flow = _port(frame) - first
            wanted = expected[flow].pop(0) if 0 <= flow < flows and expected[flow] else None
            if frame != wanted:
                said = "nothing" if wanted is None else f"number {struct.unpack_from('!I', wanted, 42)[0]} of {len(wanted)} octets"
                raise BedError(f"a frame of {len(frame)} octets came back as number {number} of flow {flow}, expected was {said}")
            back += 1
        extra = self._receive_awaited(0.01)
        if extra is not None:
            raise BedError(f"a frame of {len(extra)} octets came back that had come back before")
