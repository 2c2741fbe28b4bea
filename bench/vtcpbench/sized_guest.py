# SPDX-License-Identifier: Apache-2.0
"""A real guest whose packets may be larger than 64 KiB, and the host's servers that it talks to."""

import contextlib
import signal
import socket
import struct
import threading
import time

from vtcpbed import NIC, Guest, Network, image
from vtcpbed.process import inside, wait_until
from vtcpbed.traffic import put_file

from .arrival import octets_read
from .errors import BenchError
from .work.work import ports, wait_listening

ORDINARY_SIZE = 65536
_PARAMETER = "/sys/module/vtcp_lso/parameters/first_size"
# Half a mebibyte has to fit into a connection's buffers several times.
_BUFFERS = "4096 8388608 16777216"
# Slow start and the filling of buffers are not what is asked for.
_SETTLE = 0.5
# Between two questions, in milliseconds: so few that they are no work beside the bulk transfer.
_PAUSE = 1


class SizedGuest:
    """Linux 6.12 with `vtcp_lso` on QEMU, its vtcp-nic, a TAP, a network. `stack` ends it."""

    def __init__(self, stack, options=()):
        self.network = stack.enter_context(Network())
        self.nic = NIC(self.network, f"tap:{self.network.add_tap()}", options=options)
        stack.callback(self.nic.close)
        self.guest = Guest(self.network, self.nic.device(), kernel="6.12", memory=512, large_send=ORDINARY_SIZE, wait=False)
        stack.callback(self.guest.stop)
        self.guest.wait_ready()
        self.guest.sh(f"echo {_BUFFERS} >/proc/sys/net/ipv4/tcp_wmem")
        self.network.sysctl(f"net.ipv4.tcp_rmem={_BUFFERS}")
        put_file(self.guest, image.compiled("load", "load/*.c"), "/tmp/load")
        self.guest.sh("chmod +x /tmp/load")

    def set_size(self, size):
        """Of the packets of connections that begin from now on, in bytes."""
        self.guest.sh(f"echo {size} >{_PARAMETER}")

    def transmitted(self):
        """Packets that have crossed the ring to the host, and the octets of all that left for them."""
        row = self.nic.counters()[1]
        frames, octets, split, pieces = (row.get(name, 0) for name in ("frames", "bytes", "splitFrames", "splitPieces"))
        return frames - pieces + split, octets

    @contextlib.contextmanager
    def sending(self, family):
        """A bulk transfer of the guest's that goes on; gives the receiving process."""
        port = next(ports)
        listen = f"TCP{family}-LISTEN:{port}"
        server = self.network.start(f"sink-{port}", ["socat", "-u", "-b", 1 << 20, listen, "OPEN:/dev/null"])
        wait_listening(self.network, port, server)
        number = self.guest.start(f"exec /tmp/load send {self._host(family)} {port}")
        try:
            wait_until(lambda: octets_read(server) > 1 << 20, 15, "the first megabyte", server)
            time.sleep(_SETTLE)
            yield server
        finally:
            self.guest.run(f"kill -KILL {number}")
            server.stop(signal.SIGKILL)

    def ask(self, family, seconds):
        """[(when, took)] of the guest's questions of one octet, in seconds: when it asked, by this machine's monotonic clock, and how long it waited
        for the answer, by its own."""
        port = next(ports)
        address = self._host(family)
        place = f"[{address}]:{port}" if family == 6 else f"{address}:{port}"
        server = self.network.start(f"answers-{port}", [image.bench(), "round-trip", "--server", place])
        try:
            wait_listening(self.network, port, server)
            ahead = self._clock_ahead(address)
            said = self.guest.sh(f"/tmp/load ask {address} {port} {seconds} {_PAUSE}", seconds + 30)
        finally:
            server.stop()
        try:
            rows = [line.split() for line in said.splitlines()]
            asked = [(int(when) / 1e9 - ahead, int(took) / 1e9) for when, took in rows]
        except ValueError:
            asked = []
        if not asked:
            raise BenchError(f"questions: no result\n{said}")
        return asked

    def _clock_ahead(self, address):
        """By how many seconds the guest's clock is ahead of this machine's, to a part of a millisecond."""
        with inside(self.network.path):
            listener = socket.create_server((address, 0), family=socket.AF_INET6 if ":" in address else socket.AF_INET)
        thread = threading.Thread(target=_tell_time, args=(listener,), daemon=True)
        thread.start()
        try:
            return int(self.guest.sh(f"/tmp/load clock {address} {listener.getsockname()[1]}", 30)) / 1e9
        except ValueError as error:
            raise BenchError(f"the guest's clock: {error}") from None
        finally:
            listener.close()
            thread.join()

    def _host(self, family):
        return self.network.addresses.host(family)


def _tell_time(listener):
    """Answers each octet with this machine's clock."""
    with contextlib.suppress(OSError):
        guest, _ = listener.accept()
        guest.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with guest:
            while guest.recv(1):
                guest.sendall(struct.pack("<q", time.monotonic_ns()))
