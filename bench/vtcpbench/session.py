# SPDX-License-Identifier: Apache-2.0
"""Two namespaces, a back-end in the host's, and the front-end that is the guest."""

import contextlib
import json
import itertools
import os
import socket
import time

from vtcpbed import Network
from vtcpbed.process import inside, wait_until
from vtcpbed.relay import Relay

from .errors import BenchError

HOST = "10.77.0.1"
GUEST = "10.77.0.2"
# Another guest's network.
OTHER_HOST = "10.79.0.1"
OTHER_GUEST = "10.79.0.2"
# The host's end of the link to a host far away, and that host's.
NEAR = "10.78.0.1"
FAR = "10.78.0.2"
PREFIX = 24
_far_ports = itertools.count(25000)


class Session:
    """What one measurement runs in. As a context manager it ends every process and both namespaces."""

    def __init__(self, programs, placement, huge_pages=False):
        self.programs = programs
        self.placement = placement
        self.huge_pages = huge_pages
        self.backend = None
        self.socket = None
        self.start_up = None
        self.front_ends = []
        # Where the guest reaches the host's TCP servers, and the host's interface that the back-end serves.
        self.server_address = HOST
        self.interface = None
        # A third network, behind an impaired link of the host's, if the work made one.
        self.far = None
        self._stack = contextlib.ExitStack()
        self.host = self._network()
        self._guest = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stack.close()

    def _network(self):
        network = self._stack.enter_context(Network())
        # Its chatter would be counted as work.
        network.sysctl("net.ipv6.conf.default.disable_ipv6=1")
        # The one that every kernel has. One that paces, as some systems' default does, would measure its timers.
        network.sysctl("net.ipv4.tcp_congestion_control=reno")
        return network

    @property
    def guest(self):
        """The guest's namespace; made when it is asked for, since a packet generator needs none."""
        if self._guest is None:
            self._guest = self._network()
        return self._guest

    def closing(self, process, **options):
        """Stops the process at the end of the session."""
        self._stack.callback(process.stop, **options)
        return process

    def on_close(self, callback, *arguments):
        self._stack.callback(callback, *arguments)

    # Interfaces.

    def add_tap(self, network, address, name="tap0", mtu=1500):
        """A TAP with virtio headers and an address."""
        network.ip("tuntap", "add", "dev", name, "mode", "tap", "vnet_hdr")
        self.configure(network, name, address, mtu)
        return name

    def configure(self, network, name, address, mtu=1500):
        network.ip("address", "add", f"{address}/{PREFIX}", "dev", name)
        network.ip("link", "set", name, "mtu", mtu, "up")

    def add_guest(self):
        """Another guest, whose vtcp-nic has no module, and its namespace. The host far away has to be there."""
        guest = self._network()
        self.add_tap(self.host, OTHER_HOST, name="tap1")
        socket = self.path("other")
        command = [self.programs.nic, f"--socket-path={socket}", "--uplink=tap:tap1", "--poll=never"]
        backend = self.closing(self.host.start("other", command))
        self.placement.place(backend, "backend")
        wait_until(lambda: self._listens(socket), 20, "the other NIC's socket", backend, interval=0.0005)
        self.start_front_end(guest, socket, OTHER_GUEST)
        guest.ip("route", "add", "default", "via", OTHER_HOST)
        self.far.ip("route", "add", f"{OTHER_GUEST}/32", "via", NEAR)
        return guest

    # A host far away.

    def add_far(self, link):
        """A third network, behind a link of the host's; `link` as --both of vtcp-relay has it. The guest has to be there."""
        self.far = Network()
        self.on_close(self.far.close)
        relay = Relay(self.host, self.far, "--both", link, addresses=False)
        self.on_close(relay.stop)
        for network, address in ((self.host, NEAR), (self.far, FAR)):
            network.ip("address", "add", f"{address}/24", "dev", Relay.device)
        self.host.sysctl("net.ipv4.ip_forward=1")
        self.far.ip("route", "add", f"{GUEST}/32", "via", NEAR)
        self.guest.ip("route", "add", "default", "via", HOST)

    def connection_to_far(self, seconds, network=None):
        """The guest's end and the far one of a new connection, opened by the guest, or from another network; each call of them takes so long
        at the most."""
        with inside(self.far.path):
            listener = socket.create_server((FAR, next(_far_ports)))
        with listener:
            with inside((network or self.guest).path):
                guest = socket.create_connection(listener.getsockname(), timeout=seconds)
            far, _ = listener.accept()
        for end in (guest, far):
            end.settimeout(seconds)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return guest, far

    def connection_to_host(self, seconds):
        """The same, and the host's end."""
        with inside(self.host.path):
            listener = socket.create_server((HOST, next(_far_ports)))
        with listener:
            with inside(self.guest.path):
                guest = socket.create_connection(listener.getsockname(), timeout=seconds)
            host, _ = listener.accept()
        for end in (guest, host):
            end.settimeout(seconds)
        return guest, host

    def changes(self, are_made):
        """Whether a peer whose policy changes changes it now: as long as a file is there."""
        path = self.path("changes")
        if are_made:
            open(path, "w").close()
        else:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)

    # The back-end.

    def path(self, name):
        """Of a socket: short, and gone with the session."""
        return os.path.join(self.host.folder, name)

    def start_backend(self, name, command, sockets, **options):
        """Starts the back-end under test in the host's namespace and waits until it listens on every socket."""
        self.backend = self.closing(self.host.start(name, command, **options))
        self.placement.place(self.backend, "backend")
        for path in sockets:
            wait_until(lambda: self._listens(path), 20, f"{name}'s socket", self.backend, interval=0.0005)
        self.start_up = time.monotonic() - self.backend.started

    def _listens(self, path):
        """From the kernel's table (flag __SO_ACCEPTCON): a connection would count as a front-end."""
        with open(f"/proc/{self.host.holder_pid}/net/unix") as table:
            rows = (line.split() for line in table)
            return any(row[-1] == path and int(row[3], 16) & 0x10000 for row in rows if len(row) == 8)

    # The front-end.

    def start_front_end(self, network, socket, address, mtu=1500):
        """A guest behind a TAP of that address in the network."""
        tap = self.add_tap(network, address, mtu=mtu)
        command = [self.programs.bench, "front-end", "--connect", socket, "--tap", tap]
        process = self.closing(network.start("front-end", command))
        self.placement.place(process, "guest")
        wait_until(lambda: "ready" in process.log().split(), 20, "the front-end's rings", process)
        self.front_ends.append(process)
        return process

    def wait_reachable(self, seconds=20):
        """Until the guest gets an answer: DPDK's ports need a moment after the rings run."""
        command = ["busybox", "ping", "-c", "1", "-W", "1", self.server_address]

        def answered():
            return ", 0% packet loss" in self.guest.run(*command, check=False)

        wait_until(answered, seconds, f"an answer from {self.server_address}", self.backend)


def last_json(process):
    """The JSON line that a program of ours ends with."""
    for line in reversed(process.log().splitlines()):
        if line.startswith("{"):
            try:
                return json.loads(line)
            except ValueError:
                break
    raise BenchError(f"{process.name}: no result\n{process.log_tail()}")
