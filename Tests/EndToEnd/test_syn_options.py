# SPDX-License-Identifier: Apache-2.0
"""SYNs without a segment size get one by policy: judged by captures on both sides of the NIC, and by what the kernel at the other end makes of it.

Kernels say one in each SYN. So one end is played by a raw socket, or a rule of its kernel takes the option away.
"""

import collections
import contextlib
import os
import select
import socket
import struct
import time

import pytest
from vtcpbed import NIC, Network, image
from vtcpbed.legs import Legs
from vtcpbed.process import inside, run, wait_until
from vtcpbed.segments import folded_sum

pytestmark = pytest.mark.nic

PORT = 5077
SYN, PSH, ACK = 2, 8, 16
# What a kernel takes an end for that has not said anything (RFC 9293, section 3.7.1; kernels had 536 for IPv6 as well).
UNSAID = {4: [536], 6: [536, 1220]}

both_families = pytest.mark.parametrize("family", [4, 6], ids=["IPv4", "IPv6"])
both_uplinks = pytest.mark.parametrize("uplink", ["tap", "packet"])


class Bed:
    """A namespace that plays a guest, the NIC, and the network's stack at its uplink."""

    def __init__(self, tmp_path, uplink, policy):
        self._stack = contextlib.ExitStack()
        try:
            path = tmp_path / "vm.policy"
            path.write_text(policy + "\n")
            self.network = self._stack.enter_context(Network())
            self.guest = self._stack.enter_context(Network())
            device = self.network.add_tap() if uplink == "tap" else self.network.add_veth()
            self.devices = {self.guest: "guest0", self.network: device if uplink == "tap" else "veth1"}
            self.nic = self._stack.enter_context(NIC(self.network, f"{uplink}:{device}", options=["--vtcp=early", f"--policy={path}"]))
            self.guest.ip("tuntap", "add", "dev", "guest0", "mode", "tap", "vnet_hdr")
            self.guest.ip("link", "set", "guest0", "up")
            for address in self.guest.addresses.guest_networks():
                self.guest.ip("address", "add", address, "dev", "guest0")
            end = self.guest.start("front-end", [image.bench(), "front-end", "--connect", self.nic.socket, "--tap", "guest0"])
            self._stack.callback(end.stop)
            wait_until(lambda: "ready\n" in end.log(), 10, "ready", end)
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        with self._stack:
            if kind is None:
                assert not self.nic.process.ended(), self.nic.process.log_tail()

    def address(self, end, family):
        return end.addresses.guest(family) if end is self.guest else end.addresses.host(family)

    @contextlib.contextmanager
    def captured(self):
        """Captures at both ends; they are to be read when it is over."""
        with contextlib.ExitStack() as stack:
            yield {end: stack.enter_context(Legs.captured(end, device)) for end, device in self.devices.items()}


Said = collections.namedtuple("Said", "size header length is_whole")


def syns(capture, port):
    """What the SYNs from that port of a capture say, in order: segment size, octets of the TCP header and of the packet, a right checksum."""
    fields = ["tcp.options.mss_val", "tcp.hdr_len", "ip.len", "ipv6.plen", "tcp.checksum.status"]
    words = [word for name in fields for word in ("-e", name)]
    which = f"tcp.flags.syn==1 && tcp.srcport=={port}"
    rows = run(["tshark", "-o", "tcp.check_checksum:TRUE", "-r", capture.path, "-Y", which, "-T", "fields", "-E", "separator=,", *words])
    for row in rows.splitlines():
        size, header, length, length6, status = row.split(",")
        yield Said(int(size or 0), int(header), int(length) if length else 40 + int(length6), status in ("1", "Good"))


class Raw:
    """An end that says no more in its SYN than it must: a TCP of a few lines over a raw socket."""

    def __init__(self, bed, end, other, family, port, options=b""):
        self.port, self.options = port, options
        self._source, self._target = (bed.address(one, family) for one in (end, other))
        self._family = socket.AF_INET if family == 4 else socket.AF_INET6
        # Its kernel knows nothing of the connection.
        end.run("nft", "table inet raw { chain output { type filter hook output priority 0; tcp flags & rst == rst drop; }; }")
        with inside(end.path):
            self._socket = socket.socket(self._family, socket.SOCK_RAW, socket.IPPROTO_TCP)
        self._socket.bind((self._source, 0))
        self._next, self._seen = 1000, 0

    def send(self, flags, octets=b"", options=b""):
        head = struct.pack("!HHIIBBHHH", self.port, PORT, self._next, self._seen if flags & ACK else 0, (20 + len(options)) << 2, flags, 30000, 0, 0)
        segment = head + options + octets
        ends = b"".join(socket.inet_pton(self._family, name) for name in (self._source, self._target))
        value = ~folded_sum(ends + struct.pack("!II", len(segment), socket.IPPROTO_TCP) + segment) & 0xFFFF
        self._socket.sendto(segment[:16] + struct.pack("!H", value) + segment[18:], (self._target, 0))

    def receive(self, seconds=5):
        """The next segment for this port: flags, sequence number and octets."""
        deadline = time.monotonic() + seconds
        while select.select([self._socket], [], [], max(0, deadline - time.monotonic()))[0]:
            packet = self._socket.recv(1 << 17)
            segment = packet[(packet[0] & 15) * 4 :] if self._family == socket.AF_INET else packet
            if struct.unpack_from("!HH", segment) == (PORT, self.port):
                return segment[13], struct.unpack_from("!I", segment, 4)[0], segment[segment[12] >> 4 << 2 :]
        raise AssertionError("nothing was answered")

    def open(self, times=1):
        for _ in range(times):
            self.send(SYN, options=self.options)
        flags, number, _ = self.receive()
        assert flags & (SYN | ACK) == SYN | ACK
        self._next, self._seen = self._next + 1, number + 1
        self.send(ACK)

    def exchange(self, octets, expected):
        """Sends octets, and takes as many as are expected."""
        self.send(ACK | PSH, octets)
        self._next += len(octets)
        came = b""
        while len(came) < expected:
            _, number, part = self.receive()
            if part and number == self._seen:
                came += part
                self._seen = (self._seen + len(part)) & 0xFFFFFFFF
                self.send(ACK)
        return came

    def close(self):
        self._socket.close()


@contextlib.contextmanager
def listening(end, address, family):
    with inside(end.path):
        listener = socket.socket(socket.AF_INET if family == 4 else socket.AF_INET6)
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.settimeout(10)
        listener.bind((address, PORT))
        listener.listen()
        yield listener


@both_uplinks
@both_families
@pytest.mark.parametrize("opener", ["guest", "network"])
@pytest.mark.parametrize("mode", ["off", "early leastRoundTrip=0"], ids=["off", "early"])
def test_a_syn_without_a_segment_size_gets_what_the_link_takes(tmp_path, uplink, family, opener, mode):
    size = 1460 if family == 4 else 1440
    with Bed(tmp_path, uplink, f"default mode={mode} addOptions=maximumSegmentSize") as bed:
        end, other = (bed.guest, bed.network) if opener == "guest" else (bed.network, bed.guest)
        with bed.captured() as captures, listening(other, bed.address(other, family), family) as listener:
            # A window scale fills a word, and stays where it is.
            for port, options in ((6001, b""), (6002, b"\x03\x03\x07\x01")):
                raw = Raw(bed, end, other, family, port, options)
                raw.open(times=2)
                connection = listener.accept()[0]
                with connection:
                    assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG) == size
                    octets = os.urandom(4 * size)
                    connection.sendall(octets)
                    assert raw.exchange(b"ping", len(octets)) == octets
                    assert connection.recv(100) == b"ping"
                raw.close()
                end.run("nft", "delete", "table", "inet", "raw")
        for port, count in ((6001, 0), (6002, 4)):
            before, after = list(syns(captures[end], port)), list(syns(captures[other], port))
            head = 20 if family == 4 else 40
            assert before == [Said(0, 20 + count, head + 20 + count, True)] * 2, before
            assert after == [Said(size, 24 + count, head + 24 + count, True)] * 2, after
        assert other.kernel_counter("TcpInCsumErrors") == 0


@both_families
def test_what_policy_says_goes_before_the_link_and_without_it_nothing_is_added(tmp_path, family):
    seen = {}
    for name, policy in {"said": "addOptions=maximumSegmentSize maximumSegmentSize=900", "not added": "maximumSegmentSize=900"}.items():
        with Bed(tmp_path, "tap", f"default mode=off {policy}") as bed:
            with listening(bed.network, bed.address(bed.network, family), family) as listener:
                raw = Raw(bed, bed.guest, bed.network, family, 6001)
                raw.open()
                with listener.accept()[0] as connection:
                    seen[name] = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG)
                raw.close()
    assert seen["said"] == 900 and seen["not added"] in UNSAID[family], seen


@both_families
def test_kernels_whose_segment_sizes_a_middlebox_has_blotted_out_have_one_again(tmp_path, family):
    size = (1460 if family == 4 else 1440) - 12
    blot = "table inet blot { chain output { type filter hook output priority 0; tcp flags & syn == syn reset tcp option maxseg; }; }"
    seen = {}
    for name, policy in {"added": "mode=early leastRoundTrip=0 addOptions=maximumSegmentSize", "kept": "mode=off"}.items():
        with Bed(tmp_path, "tap", f"default {policy}") as bed:
            for end in (bed.guest, bed.network):
                end.run("nft", blot)
            address = bed.address(bed.network, family)
            with bed.captured() as captures, listening(bed.network, address, family) as listener:
                with inside(bed.guest.path):
                    client = socket.socket(socket.AF_INET if family == 4 else socket.AF_INET6)
                with client:
                    client.settimeout(10)
                    client.connect((address, PORT))
                    with listener.accept()[0] as connection:
                        octets = os.urandom(100_000)
                        client.sendall(octets)
                        came = b""
                        while len(came) < len(octets):
                            came += connection.recv(1 << 16)
                        assert came == octets
                        seen[name] = [one.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG) for one in (client, connection)]
            if name == "added":
                # No-Operations made room: nothing has grown.
                (answer,), (shown,) = (list(syns(captures[end], PORT)) for end in (bed.network, bed.guest))
                assert (answer.size, shown.size) == (0, size + 12) and answer.length == shown.length
    assert seen["added"] == [size, size] and seen["kept"] in [[least - 12] * 2 for least in UNSAID[family]], seen
