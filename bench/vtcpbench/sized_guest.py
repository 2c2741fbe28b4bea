# SPDX-License-Identifier: Apache-2.0
"""A real guest whose packets may be larger than 64 KiB, and the host's servers that it talks to."""

import contextlib
import json
import signal
import time

from vtcpbed import NIC, Guest, Network, image
from vtcpbed.process import wait_until
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
        self._network = stack.enter_context(Network())
        self.nic = NIC(self._network, f"tap:{self._network.add_tap()}", options=options)
        stack.callback(self.nic.close)
        self.guest = Guest(self._network, self.nic.device(), kernel="6.12", memory=512, large_send=ORDINARY_SIZE, wait=False)
        stack.callback(self.guest.stop)
        self.guest.wait_ready()
        self.guest.sh(f"echo {_BUFFERS} >/proc/sys/net/ipv4/tcp_wmem")
        self._network.sysctl(f"net.ipv4.tcp_rmem={_BUFFERS}")
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
        server = self._network.start(f"sink-{port}", ["socat", "-u", "-b", 1 << 20, listen, "OPEN:/dev/null"])
        wait_listening(self._network, port, server)
        number = self.guest.start(f"exec /tmp/load send {self._host(family)} {port}")
        try:
            wait_until(lambda: octets_read(server) > 1 << 20, 15, "the first megabyte", server)
            time.sleep(_SETTLE)
            yield server
        finally:
            self.guest.run(f"kill -KILL {number}")
            server.stop(signal.SIGKILL)

    def ask(self, family, seconds):
        """The microseconds that the guest's questions of one octet waited for their answers, by the guest's clock: {"p50_us": ...}."""
        port = next(ports)
        address = self._host(family)
        place = f"[{address}]:{port}" if family == 6 else f"{address}:{port}"
        server = self._network.start(f"answers-{port}", [image.bench(), "round-trip", "--server", place])
        try:
            wait_listening(self._network, port, server)
            said = self.guest.sh(f"/tmp/load ask {address} {port} {seconds} {_PAUSE}", seconds + 30)
        finally:
            server.stop()
        try:
            return json.loads(said)
        except ValueError:
            raise BenchError(f"questions: no result\n{said}") from None

    def _host(self, family):
        return self._network.addresses.host(family)
