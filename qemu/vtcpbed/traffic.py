# SPDX-License-Identifier: Apache-2.0
"""Traffic over a guest's cable, and the proof that it arrived as it was sent. Directions are the guest's."""

import dataclasses
import enum
import hashlib
import itertools
import json
import os
import signal
import sys
import time

from .process import BedError, wait_until

MEBIBYTE = 1 << 20
_ports = itertools.count(20000)


class Direction(enum.Enum):
    TRANSMIT = "guest to host"
    RECEIVE = "host to guest"

    def __str__(self):
        return self.value


def ping(guest, address=None, count=3, size=56, interval=0.2):
    """Pings from the guest (default: the host by IPv4) and returns the number of answers. The first one may wait for ARP or ND."""
    address = address or guest.network.addresses.host()
    status, output = guest.run(f"ping -c {count} -i {interval} -s {size} -W 2 {address}")
    if status != 0:
        raise BedError(f"the guest gets no answer from {address}:\n{output}")
    return int(output.split(" packets received")[0].rpartition(" ")[2])


@dataclasses.dataclass
class Throughput:
    """One iperf3 run, in one direction, at the receiver."""

    bits_per_second: float
    bytes: int
    seconds: float
    retransmits: int
    segment_size: int

    def __str__(self):
        return f"{self.bits_per_second / 1e9:.2f} Gbit/s, {self.bytes / 1e6:.0f} MB in {self.seconds:.1f} s, {self.retransmits} retransmissions"


def start_iperf3(guest, direction, seconds, flows=1, family=4, both=False):
    """Starts an iperf3 run as a background load. The server is the guest's; the client, and so this process, the host's."""
    port = next(_ports)
    guest.sh(f"iperf3 --server --one-off --daemon --port {port}")
    guest.sh(f"until ss -Hltn 'sport = {port}' | grep -q . ; do sleep 0.02; done", 20)
    way = ["--bidir"] if both else ["--reverse"] if direction is Direction.TRANSMIT else []
    command = ["iperf3", "--client", guest.network.addresses.guest(family, guest.index), "--port", port, "--time", seconds]
    command += ["--parallel", flows, "--json", "--connect-timeout", 20000, *way]
    process = guest.network.start(f"iperf3-{port}", command)
    # iperf3 ends by itself, but not when its control connection dies.
    process.deadline = seconds + 60
    return process


def iperf3(guest, direction, seconds=2, flows=1, family=4):
    """Runs iperf3 for some seconds and returns the Throughput."""
    process = start_iperf3(guest, direction, seconds, flows, family)
    try:
        process.wait(process.deadline, f"iperf3 {direction}")
    finally:
        process.stop(signal.SIGKILL)
    return iperf3_result(process)


def iperf3_result(process):
    try:
        report = json.loads(process.log())
        sent, received = report["end"]["sum_sent"], report["end"]["sum_received"]
    except (ValueError, KeyError):
        raise BedError(f"iperf3 gave no result\n{process.log_tail()}") from None
    return Throughput(
        received["bits_per_second"],
        received["bytes"],
        received["seconds"],
        sent.get("retransmits", 0),
        report["start"].get("tcp_mss_default", 0),
    )


SOURCE_SIZE = 16 * MEBIBYTE

# Takes one connection and stores what comes, no faster than so many bytes a second: family, port, file, rate.
_SLOW_READER = """
import socket, sys, time
family, port, path, rate = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], float(sys.argv[4])
kind = socket.AF_INET6 if family == 6 else socket.AF_INET
connection = socket.create_server(("", port), family=kind).accept()[0]
with open(path, "wb", buffering=0) as file:
    while data := connection.recv(1 << 16):
        file.write(data)
        time.sleep(len(data) / rate)
"""
_SLOW_RATE = 8 * MEBIBYTE


def put_file(guest, path, target):
    """Copies a file of this machine into the guest."""
    # By way of the agent would be slow, and by way of the network under test unproven: so the digest is compared here too.
    with _serving(guest.network, path) as port:
        guest.sh(f"socat -u -b 65536 TCP4:{guest.network.addresses.host()}:{port} CREATE:{target}", 120)
    arrived = guest.sh(f"sha256sum <{target}", 120).split()[0]
    with open(path, "rb") as file:
        sent = hashlib.file_digest(file, "sha256").hexdigest()
    if arrived != sent:
        raise BedError(f"host to guest, {os.path.getsize(path)} bytes: sent {sent}, arrived {arrived}")


def prepare_source(guest, times=1):
    """Makes sure that the guest has its random file, /tmp/source, and returns the SHA-256 of `times` copies of it in a row."""
    if not hasattr(guest, "source"):
        guest.source = os.urandom(SOURCE_SIZE)
        path = os.path.join(guest.folder, "source")
        with open(path, "wb") as file:
            file.write(guest.source)
        put_file(guest, path, "/tmp/source")
    digest = hashlib.sha256()
    for _ in range(times):
        digest.update(guest.source)
    return digest.hexdigest()


class Transfer:
    """Random bytes over one TCP connection, and the SHA-256 of what was sent and what arrived. It runs from its making until `finish`.

    Transmit: the guest sends a random file over and over until `size` is reached, the host stores (`slowly`: 8 MiB/s) and digests.
    Receive: the guest stores what arrives and digests it afterwards, or (`slowly`) digests while it receives, which throttles the
    sender through TCP's flow control to what an emulated CPU can digest, some 10 MB/s.
    """

    def __init__(self, guest, direction, size=64 * MEBIBYTE, family=4, host=None, guest_address=None, slowly=False):
        self.guest = guest
        self.direction = direction
        self.size = size
        self._slowly = slowly
        port = next(_ports)
        network = guest.network
        self._name = f"transfer-{port}"
        self._kept = os.path.join(network.folder, f"{self._name}.data")
        tcp = f"TCP{family}"
        ours = host or network.addresses.host(family)
        theirs = guest_address or network.addresses.guest(family, guest.index)
        if family == 6:
            ours, theirs = f"[{ours}]", f"[{theirs}]"
        self.started = time.monotonic()
        if direction is Direction.TRANSMIT:
            assert size % SOURCE_SIZE == 0
            self._expected = prepare_source(guest, size // SOURCE_SIZE)
            listen = f"{tcp}-LISTEN:{port},reuseaddr"
            command = ["socat", "-u", "-b", 65536, listen, f"CREATE:{self._kept}"]
            if slowly:
                command = [sys.executable, "-c", _SLOW_READER, family, port, self._kept, _SLOW_RATE]
            self._process = network.start(self._name, command)
            self._wait_listening(network, port)
            files = "/tmp/source " * (size // SOURCE_SIZE)
            self._number = guest.start(f"cat {files} | socat -u -b 65536 STDIN {tcp}:{ours}:{port}", f"/tmp/{self._name}.log")
            return
        self._expected = self._write_random(size)
        take = f"socat -u -b 65536 {tcp}-LISTEN:{port},reuseaddr"
        digest = f"/tmp/{self._name}.digest"
        if slowly:
            command = f"{take} STDOUT | sha256sum >{digest}"
        else:
            command = f"{take} CREATE:/tmp/{self._name} && sha256sum </tmp/{self._name} >{digest}; rm -f /tmp/{self._name}"
        self._number = guest.start(command, f"/tmp/{self._name}.log")
        guest.sh(f"until ss -Hltn 'sport = {port}' | grep -q . ; do sleep 0.02; done", 20)
        self._process = network.start(self._name, ["socat", "-u", "-b", 65536, f"FILE:{self._kept}", f"{tcp}:{theirs}:{port}"])

    def _write_random(self, size):
        digest = hashlib.sha256()
        with open(self._kept, "wb") as file:
            for start in range(0, size, MEBIBYTE):
                block = os.urandom(min(MEBIBYTE, size - start))
                digest.update(block)
                file.write(block)
        return digest.hexdigest()

    def _wait_listening(self, network, port):
        wait_until(lambda: network.run("ss", "-Hltn", f"sport = {port}"), 10, "socat's socket", self._process)

    def progress(self):
        """How many bytes have arrived so far (for a guest that receives: those that the host's side has sent at most). All of them once it is
        over, also where it failed: `finish` tells."""
        if self.direction is Direction.TRANSMIT:
            return os.path.getsize(self._kept) if os.path.exists(self._kept) else 0
        # The kernel counts for a process that lives, and nobody remembers it once it was waited for.
        if self._process.ended():
            return self.size
        with open(f"/proc/{self._process.pid}/io") as file:
            return int(next(line for line in file if line.startswith("wchar")).split()[1])

    def running(self):
        return not self._process.ended()

    def finish(self, seconds=120):
        """Waits for the end and compares the digests; raises BedError if they differ. Returns the seconds that it took."""
        try:
            status = self._process.wait(seconds, f"{self.direction}: {self.size >> 20} MiB")
            if status != 0:
                raise BedError(f"{self.direction}: socat ended with {status}\n{self._process.log_tail()}")
            if self.direction is Direction.TRANSMIT:
                with open(self._kept, "rb") as file:
                    arrived = hashlib.file_digest(file, "sha256").hexdigest()
                size = os.path.getsize(self._kept)
            else:
                wait = f"while kill -0 {self._number} 2>/dev/null; do sleep 0.02; done"
                output = self.guest.sh(f"{wait}; cat /tmp/{self._name}.digest /tmp/{self._name}.log", seconds)
                arrived, size = output.split()[0], "?"
            if arrived != self._expected:
                raise BedError(
                    f"{self.direction}: of {self.size} bytes with SHA-256 {self._expected} arrived {size} with {arrived}: "
                    "octets were lost, added or changed on the way"
                )
            return time.monotonic() - self.started
        finally:
            self.cancel()

    def cancel(self):
        self._process.stop(signal.SIGKILL)
        if os.path.exists(self._kept):
            os.unlink(self._kept)


class _serving:
    """One file offered to one TCP connection."""

    def __init__(self, network, path):
        self._port = next(_ports)
        listen = f"TCP4-LISTEN:{self._port},reuseaddr"
        self._process = network.start(f"serve-{self._port}", ["socat", "-u", "-b", 65536, f"FILE:{path}", listen])
        wait_until(lambda: network.run("ss", "-Hltn", f"sport = {self._port}"), 10, "socat's socket", self._process)

    def __enter__(self):
        return self._port

    def __exit__(self, *_):
        self._process.stop(signal.SIGKILL)
