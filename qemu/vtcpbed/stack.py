# SPDX-License-Identifier: Apache-2.0
"""Traffic of a network's own TCP/IP stack, without a guest's help: pings, and bytes over a TCP connection between two networks."""

import hashlib
import os
import random
import select
import socket
import struct
import threading
import time

from .frames import checksum
from .process import BedError, inside


def ping(network, address, size=56, count=1, seconds=3):
    """Pings from the network's own stack, with a random payload; BedError if an answer is missing or differs from what was sent."""
    with inside(network.path):
        connection = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    identifier = random.randrange(1 << 16)
    with connection:
        for number in range(count):
            payload = os.urandom(size)
            start = struct.pack("!BBHHH", 8, 0, 0, identifier, number)
            request = start[:2] + struct.pack("!H", checksum(start + payload)) + start[4:] + payload
            connection.sendto(request, (address, 0))
            deadline = time.monotonic() + seconds
            while True:
                rest = deadline - time.monotonic()
                if rest <= 0 or not select.select([connection], [], [], rest)[0]:
                    raise BedError(f"{address} does not answer ping {number} of {size} octets within {seconds} s")
                packet = connection.recv(1 << 16)
                answer = packet[4 * (packet[0] & 15) :]
                if answer[:1] == b"\0" and answer[4:8] == start[4:8]:
                    if answer[8:] != payload:
                        raise BedError(f"{address} answers a ping of {size} octets with other octets")
                    if checksum(answer) != 0:
                        raise BedError(f"{address} answers a ping of {size} octets with a wrong checksum")
                    break


def stream(sender, receiver, address, size, seconds=30, congestion=None):
    """Sends random bytes from one network to `address` in the other, over a connection made for it, and compares what arrives.

    `congestion`: the algorithm of the sender's kernel ("cubic"), if not its default.
    """
    with inside(receiver.path):
        listener = socket.create_server((address, 0), family=socket.AF_INET6 if ":" in address else socket.AF_INET)
    with inside(sender.path):
        connection = socket.socket(listener.family, socket.SOCK_STREAM)
    with listener, connection:
        listener.settimeout(seconds)
        connection.settimeout(seconds)
        if congestion is not None:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, congestion.encode())
        arrived, failure = hashlib.sha256(), []

        def receive():
            try:
                accepted, _ = listener.accept()
                with accepted:
                    accepted.settimeout(seconds)
                    while data := accepted.recv(1 << 18):
                        arrived.update(data)
            except OSError as error:
                failure.append(error)

        thread = threading.Thread(target=receive, daemon=True)
        thread.start()
        sent = hashlib.sha256()
        try:
            connection.connect((address, listener.getsockname()[1]))
            for start in range(0, size, 1 << 20):
                block = os.urandom(min(1 << 20, size - start))
                sent.update(block)
                connection.sendall(block)
            connection.shutdown(socket.SHUT_WR)
        except OSError as error:
            raise BedError(f"{size} bytes to {address}: the sender says: {error}") from None
        thread.join(seconds)
        if failure or thread.is_alive():
            raise BedError(f"{size} bytes to {address}: the receiver says: {failure[0] if failure else 'nothing'}")
        if arrived.digest() != sent.digest():
            raise BedError(f"{size} bytes to {address} changed on their way")
