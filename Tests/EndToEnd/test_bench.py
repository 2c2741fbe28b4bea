# SPDX-License-Identifier: Apache-2.0
"""The engines of the bench: what is measured by them is worth nothing if frames get lost or changed on the way."""

import contextlib
import hashlib
import itertools
import json
import os
import shutil
import signal
import socket
import struct
import subprocess

import pytest
from vtcpbed import NIC, Network, image
from vtcpbed.process import wait_until

pytestmark = pytest.mark.nic

MEBIBYTE = 1 << 20
_ports = itertools.count(30000)
_names = itertools.count()


@pytest.fixture(scope="session")
def reference(tmp_path_factory):
    """The back-end in C that ours is measured by."""
    program = tmp_path_factory.mktemp("reference") / "back-end"
    source = os.path.join(image.REPOSITORY, "bench", "reference", "back-end.c")
    compiler = shutil.which("cc") or "clang"
    subprocess.run([compiler, "-O2", "-Wall", "-Wextra", "-Werror", "-o", program, source], check=True)
    return program


@contextlib.contextmanager
def bench(network, *words):
    """A running part of vtcp-bench; its `result` is there when it has ended."""
    process = network.start(f"bench-{next(_names)}", [image.bench(), *words])
    wait_until(lambda: "ready\n" in process.log(), 10, "ready", process)
    try:
        yield process
    finally:
        process.stop()


def result(process, seconds=10):
    status = process.wait(seconds)
    assert status == 0, process.log_tail()
    return json.loads(process.lines()[-1])


@contextlib.contextmanager
def back_end(kind, network, uplink, reference, queues=1, connect=False):
    """Its socket's path."""
    if kind == "reference":
        path = os.path.join(network.folder, "reference.sock")
        way = ["--uplink", "null"] if uplink == "null" else ["--tap", uplink]
        process = network.start("reference", [reference, "--socket-path", path, *way])
        wait_until(lambda: os.path.exists(path), 10, "the socket", process)
        yield path
        assert not process.ended(), process.log_tail()
        process.stop()
    else:
        nic = NIC(network, "null" if uplink == "null" else f"tap:{uplink}", queues, connect=connect)
        yield nic.socket
        assert nic.stop() == 0, nic.process.log_tail()


@pytest.fixture
def networks():
    """The guest's and the host's, a TAP in each."""
    with Network() as guest, Network() as host:
        yield guest, host


def add_taps(guest, host, queues=1):
    guest.ip("tuntap", "add", "dev", "guest0", "mode", "tap", "vnet_hdr", *(["multi_queue"] if queues > 1 else []))
    guest.ip("link", "set", "guest0", "up")
    for address in guest.addresses.guest_networks():
        guest.ip("address", "add", address, "dev", "guest0")
    host.add_tap("host0", queues=queues)


def transfer(sender, receiver, address, size):
    """Sends random bytes by TCP; they must arrive as they are."""
    port = next(_ports)
    sent, received = (os.path.join(receiver.folder, name) for name in ("sent", "received"))
    with open(sent, "wb") as file:
        file.write(os.urandom(size))
    server = receiver.start(f"server-{port}", ["socat", "-u", f"TCP-LISTEN:{port}", f"CREATE:{received}"])
    wait_until(lambda: f":{port} " in receiver.run("ss", "-Hltn"), 10, "the server", server)
    client = sender.start(f"client-{port}", ["socat", "-u", f"OPEN:{sent}", f"TCP:{address}:{port}"])
    assert client.wait(60) == 0, client.log_tail()
    assert server.wait(60) == 0, server.log_tail()
    digests = []
    for name in (sent, received):
        with open(name, "rb") as file:
            digests.append(hashlib.file_digest(file, "sha256").hexdigest())
    assert digests[0] == digests[1]


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("reference", ""),
        ("reference", "--features csum,tso,mrg"),
        ("reference", "--features csum,tso,indirect,event"),
        ("reference", "--features mrg,event --ring 64"),
        ("vtcp-nic", ""),
        ("vtcp-nic", "--packed"),
        ("vtcp-nic", "--features csum,tso,mrg"),
        ("vtcp-nic", "--packed --features csum,tso,mrg,indirect"),
        ("vtcp-nic", "--features csum,tso,indirect,event --ring 1024"),
        ("vtcp-nic", "--packed --features none"),
        ("vtcp-nic", "--features none"),
    ],
)
def test_bytes_pass_the_front_end_unchanged(networks, reference, kind, options):
    guest, host = networks
    add_taps(guest, host)
    with back_end(kind, host, "host0", reference) as path:
        with bench(guest, "front-end", "--connect", path, "--tap", "guest0", *options.split()) as front_end:
            transfer(guest, host, host.addresses.host(), 32 * MEBIBYTE)
            transfer(host, guest, guest.addresses.guest(), 32 * MEBIBYTE)
            front_end.send(signal.SIGTERM)
            numbers = result(front_end)
    assert numbers["transmit_bytes"] > 32 * MEBIBYTE and numbers["receive_bytes"] > 32 * MEBIBYTE
    assert numbers["receive_dropped"] == 0
    frames = numbers["transmit_packets"] + numbers["receive_packets"]
    if "tso" in options or "features" not in options:
        assert frames < 20_000, f"no large frames: {frames} for 64 MiB"


def datagram_with_a_wrong_checksum(destination, source_address, address, port, payload):
    """A UDP datagram in an Ethernet frame."""
    udp = struct.pack("!4H", 9, port, 8 + len(payload), 0xDEAD) + payload
    words = [0x4500, 20 + len(udp), 0, 0, 0x4011, 0]
    words += struct.unpack("!4H", socket.inet_aton(source_address) + socket.inet_aton(address))
    total = sum(words)
    words[5] = ~(total + (total >> 16)) & 0xFFFF
    return bytes.fromhex(destination.replace(":", "")) + b"\x02\0\0\0\0\x01\x08\0" + struct.pack("!10H", *words) + udp


@pytest.mark.parametrize(("flags", "arrives"), [(2, True), (0, False)])
def test_a_checksum_that_the_device_calls_valid_is_believed(networks, reference, flags, arrives):
    guest, host = networks
    guest.ip("tuntap", "add", "dev", "guest0", "mode", "tap", "vnet_hdr")
    guest.ip("address", "add", "10.77.0.2/24", "dev", "guest0")
    guest.ip("link", "set", "guest0", "up")
    mac = json.loads(guest.ip("-json", "link", "show", "dev", "guest0"))[0]["address"]
    received = os.path.join(guest.folder, "received")
    server = guest.start("server", ["socat", "-u", "UDP-RECV:7000", f"CREATE:{received}"])
    wait_until(lambda: ":7000 " in guest.run("ss", "-Hlun"), 10, "the server", server)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    path = os.path.join(host.folder, "nic.sock")
    uplink = f"fd:{theirs.fileno()}"
    nic = host.start("nic", [image.nic(), "--socket-path", path, "--uplink", uplink], keep_fds=(theirs.fileno(),))
    wait_until(lambda: os.path.exists(path), 10, "the socket", nic)
    with ours, theirs, bench(guest, "front-end", "--connect", path, "--tap", "guest0") as front_end:
        header = bytes([flags]) + bytes(9)
        ours.send(header + datagram_with_a_wrong_checksum(mac, "10.77.0.1", "10.77.0.2", 7000, b"wrong"))
        # Behind it, one without a checksum (RFC 768): when that is here, the other one has come or will not.
        frame = bytearray(datagram_with_a_wrong_checksum(mac, "10.77.0.1", "10.77.0.2", 7000, b"last"))
        frame[40:42] = bytes(2)
        ours.send(bytes(10) + frame)
        wait_until(lambda: "last" in guest.run("cat", received, check=False), 10, "the last one", front_end)
    nic.stop()
    with open(received, "rb") as file:
        assert file.read() == (b"wronglast" if arrives else b"last")


def test_the_front_end_has_several_queue_pairs_and_listens(networks, reference):
    guest, host = networks
    add_taps(guest, host, queues=2)
    with back_end("vtcp-nic", host, "host0", reference, queues=2, connect=True) as path:
        words = ["front-end", "--listen", path, "--tap", "guest0", "--queues", "2", "--seconds", "60"]
        with bench(guest, *words) as front_end:
            for _ in range(4):
                transfer(guest, host, host.addresses.host(), 4 * MEBIBYTE)
                transfer(host, guest, guest.addresses.guest(), 4 * MEBIBYTE)
            front_end.send(signal.SIGTERM)
            assert result(front_end)["receive_dropped"] == 0


def test_the_front_end_ends_with_its_back_end(networks, reference):
    guest, host = networks
    add_taps(guest, host)
    with contextlib.ExitStack() as stack:
        with back_end("reference", host, "host0", reference) as path:
            front_end = stack.enter_context(bench(guest, "front-end", "--connect", path, "--tap", "guest0"))
        assert result(front_end)["seconds"] > 0


@pytest.mark.parametrize("options", ["", "--poll", "--packed", "--packed --poll", "--features none --ring 1024"])
@pytest.mark.parametrize("kind", ["reference", "vtcp-nic"])
def test_what_is_generated_is_transmitted(networks, reference, kind, options):
    if kind == "reference" and "packed" in options:
        pytest.skip("the reference has split rings only")
    _, host = networks
    host.add_tap("host0")
    before = host.counters("host0")["rx"]["packets"]
    with back_end(kind, host, "host0", reference) as path:
        words = ["--connect", path, "--direction", "transmit", "--seconds", "0.5", *options.split()]
        with bench(host, "generate", *words) as generator:
            numbers = result(generator)
    arrived = host.counters("host0")["rx"]["packets"] - before
    # What was still in the ring at the end is not counted as sent.
    assert 1000 < numbers["packets"] <= arrived <= numbers["packets"] + 1024 + 64
    assert numbers["bytes"] == 60 * numbers["packets"]


@pytest.mark.parametrize("options", ["", "--poll", "--packed"])
@pytest.mark.parametrize("kind", ["reference", "vtcp-nic"])
def test_what_is_flooded_is_received(networks, reference, kind, options):
    if kind == "reference" and "packed" in options:
        pytest.skip("the reference has split rings only")
    _, host = networks
    host.add_tap("host0")
    with back_end(kind, host, "host0", reference) as path:
        words = ["--connect", path, "--direction", "receive", "--seconds", "3", *options.split()]
        with bench(host, "generate", *words) as generator:
            with bench(host, "flood", "--interface", "host0", "--seconds", "0.5") as flood:
                sent = result(flood)
            numbers = result(generator)
    assert 1000 < numbers["packets"] <= sent["packets"] + 100


def test_the_null_uplink_takes_everything(networks, reference):
    _, host = networks
    for kind in ("reference", "vtcp-nic"):
        with back_end(kind, host, "null", reference) as path:
            with bench(host, "generate", "--connect", path, "--direction", "transmit", "--seconds", "0.3") as generator:
                assert result(generator)["packets"] > 10_000


def test_a_sink_counts_what_an_interface_receives(networks):
    _, host = networks
    host.add_veth("veth0", "veth1")
    with bench(host, "sink", "--interface", "veth0", "--seconds", "3") as sink:
        with bench(host, "flood", "--interface", "veth1", "--size", "100", "--seconds", "0.5") as flood:
            sent = result(flood)
        numbers = result(sink)
    assert sent["packets"] <= numbers["packets"] <= sent["packets"] + 100


def test_round_trips_are_timed(networks):
    _, host = networks
    with bench(host, "round-trip", "--server", "127.0.0.1:7000"):
        client = host.start("client", [image.bench(), "round-trip", "--client", "127.0.0.1:7000", "--seconds", "0.5"])
        numbers = result(client)
    assert numbers["count"] > 100
    assert 0 < numbers["p50_us"] <= numbers["p90_us"] <= numbers["p99_us"] <= numbers["max_us"]
