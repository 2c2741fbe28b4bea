# SPDX-License-Identifier: Apache-2.0
"""Who looks at the frames of a vtcp-nic sees both legs and what was done; and nobody else notices."""

import collections
import json
import os
import re
import socket
import subprocess
import threading
import time

import pytest
from vtcpbed import image
from vtcpbed.control import all_of, asked, capturing, control_words, packets, vtcpctl
from vtcpbed.flows import run_flows
from vtcpbed.legs import Legs
from vtcpbed.process import Process, inside, run, wait_until

pytestmark = pytest.mark.nic

PORT = 7000
INTERFACE, DIRECTION, COMMENT = "frame.interface_name", "frame.packet_flags_direction", "frame.comment"


def transfer(legs, size, port=PORT, keep=None):
    """The guest sends `size` octets to the host, which answers each with its complement; `keep` runs while the connection stands."""
    with inside(legs.host.path):
        listener = socket.create_server((legs.ends[1].addresses[0], port))
    with listener, inside(legs.guest_network.path):
        sender = socket.create_connection(listener.getsockname(), timeout=20)
        receiver, _ = listener.accept()
    data = os.urandom(size)
    with sender, receiver:
        threading.Thread(target=sender.sendall, args=(data,), daemon=True).start()
        receiver.settimeout(60)
        got = b""
        while len(got) < size:
            got += receiver.recv(1 << 20)
        assert got == data
        receiver.sendall(b"all")
        assert sender.recv(3) == b"all"
        if keep:
            keep(sender, receiver)


def comments_by(rows):
    """{(interface, direction): what was said, all together}"""
    said = collections.defaultdict(str)
    for interface, direction, comment in rows:
        said[interface, direction] += comment + "\n"
    return said




def direction(text):
    return {1: "in", 2: "out"}[int(text, 0)]


def test_both_legs_are_there_with_what_was_done(tmp_path):
    option, place = control_words(tmp_path)
    path = str(tmp_path / "both.pcapng")
    with Legs("delay=5ms,loss=1%", 1, ["--vtcp=early,always", option]) as legs:
        with capturing(place, path, "--flow", f":{PORT}") as said:
            transfer(legs, 1 << 20)
        assert re.search(r"\d+ packets, 0 missed", said[-1]), said
    rows = [(name, direction(way), text) for name, way, text in packets(path, INTERFACE, DIRECTION, COMMENT)]
    said = comments_by(rows)
    assert set(said) == {("guest", "in"), ("guest", "out"), ("network", "in"), ("network", "out")}
    assert "connection is followed from here on" in said["guest", "in"]
    assert "acknowledged early: " in said["guest", "in"] and "held: " in said["guest", "in"]
    assert "the module's own; acknowledges early: " in said["guest", "out"]
    assert "sent again from the buffer" in said["network", "out"]
    assert "kept back: what it acknowledges is acknowledged already" in said["network", "in"]
    # With an acknowledgment of all before the first copy, or with the data behind it.
    assert "early acknowledgment of the guest's data begins" in said["network", "in"] + said["guest", "in"]
    # Only headers, unless more is asked for.
    lengths = packets(path, "frame.len", "frame.cap_len")
    assert max(int(length) for length, _ in lengths) > 1400 and max(int(length) for _, length in lengths) < 100
    summary = run(["capinfos", path])
    assert "Number of interfaces in file: 2" in summary and "Interface #1 info" in summary, summary
    assert "Time precision = nanoseconds (9)" in summary and "Number of packets dropped" not in summary, summary
    # What leaves follows what came, and the two legs tell of the same octets.
    streams = packets(path, INTERFACE, DIRECTION, "tcp.seq_raw", "tcp.len")
    came = {int(seq) for name, way, seq, length in streams if (name, direction(way)) == ("guest", "in") and int(length)}
    went = {int(seq) for name, way, seq, length in streams if (name, direction(way)) == ("network", "out") and int(length)}
    assert came and min(came) == min(went)


def test_a_capture_under_load_costs_no_octet(tmp_path):
    option, place = control_words(tmp_path)
    path = str(tmp_path / "load.pcapng")
    with Legs("delay=2ms,loss=0.5%", 1, ["--vtcp=early,always", option]) as legs:
        with capturing(place, path, "--snap", "65535") as said:
            seen = run_flows(legs.ends, 1, 60, flows=100, max_size=1 << 20, congestion="cubic", spread=2000, abort=0)
    assert not seen["problems"], seen["problems"][:10]
    shown = int(re.search(r"(\d+) packets, \d+ missed", said[-1])[1])
    assert shown > 10_000
    summary = run(["capinfos", "-M", "-c", path], seconds=120)
    assert int(re.search(r"Number of packets:\s+(\d+)", summary)[1]) == shown, summary


def test_who_does_not_read_misses_frames_and_holds_nobody_up(tmp_path):
    option, _ = control_words(tmp_path)
    path = str(tmp_path / "control")
    with Legs("", 1, ["--vtcp=early,always", option]) as legs:
        with asked(path, b"capture snap=65535\n") as connection:
            wait_until(lambda: "a capture has begun" in legs.nic.process.log(), 10, "the capture", legs.nic.process)
            begin = time.monotonic()
            transfer(legs, 64 << 20)
            spent = time.monotonic() - begin
            assert spent < 40, spent
            # The control socket serves others meanwhile.
            with asked(path, b"status\n") as other:
                assert all_of(other).startswith(b"ok\n")
            connection.shutdown(socket.SHUT_WR)
            octets = all_of(connection)
        assert octets.startswith(b"ok\n")
        missed = int(re.search(r"frames, of which (\d+) were missed", legs.nic.process.log())[1])
        assert missed > 1000
    capture = tmp_path / "slow.pcapng"
    capture.write_bytes(octets[3:])
    # What there was room for is whole, and the statistics at the end say what is missing.
    assert len(packets(str(capture), "frame.number")) > 100
    counted = re.findall(r"Number of packets dropped\D+(\d+)", run(["capinfos", str(capture)]))
    reader = subprocess.run(["tshark", "-r", str(capture), "-q", "-z", "io,stat,0"], capture_output=True, text=True, timeout=60)
    assert reader.returncode == 0 and "appears to be damaged" not in reader.stderr, reader.stderr
    assert not counted or sum(map(int, counted)) == missed


def test_a_fifth_who_looks_is_refused_and_one_who_goes_makes_room(tmp_path):
    option, _ = control_words(tmp_path)
    path = str(tmp_path / "control")
    with Legs("", 1, ["--vtcp=early", option]) as legs:
        connections = []
        for _ in range(4):
            connection = asked(path, b"capture leg=guest protocol=arp\n")
            connections.append((connection, connection.__enter__()))
            assert connections[-1][1].recv(3) == b"ok\n"
        with asked(path, b"capture\n") as fifth:
            assert all_of(fifth).startswith(b"error\n4 captures run already")
        for number, (manager, connection) in enumerate(connections):
            # Without a word, or with one.
            if number % 2:
                connection.shutdown(socket.SHUT_WR)
                assert b"\x05\x00\x00\x00" in all_of(connection)
            manager.__exit__(None, None, None)
        wait_until(lambda: legs.nic.process.log().count("a capture has ended") == 4, 10, "the ends of captures", legs.nic.process)
        with asked(path, b"capture count=1 protocol=arp\n") as connection:
            assert connection.recv(3) == b"ok\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("leg=gest", "leg is guest, network or both"),
        ("snap=13", "bytes of a frame from 14 to 262144"),
        ("snap=262145", "bytes of a frame from 14 to 262144"),
        ("count=0", "count is a number of packets from 1 on"),
        ("count=99999999999999999999", "count is a number of packets"),
        ("protocol=tpc", "did you mean tcp?"),
        ("host=1.2.3", "host is an address"),
        ("port=65536", "port is a number from 0 to 65535"),
        ("end=1.2.3.4", "end is ADDRESS:PORT"),
        ("end=::1:5", "end is ADDRESS:PORT"),
        ("port=1 port=2 port=3 port=4 port=5", "4 at the most"),
        ("prot=1", "did you mean port=?"),
        ("count", "capture has no 'count'"),
    ],
)
def test_what_can_not_be_captured_is_told(tmp_path, words, told):
    with NICAlone(tmp_path) as path, asked(path, f"capture {words}\n".encode()) as connection:
        said = all_of(connection).decode()
    assert said.startswith("error\n") and told in said, said


class NICAlone:
    """A vtcp-nic that nobody is connected to."""

    def __init__(self, folder, *options):
        self._path = os.path.join(folder, "control")
        self._words = [image.nic(), f"--socket-path={folder}/nic", "--uplink=null", f"--control-socket={self._path}", *options]

    def __enter__(self):
        self._process = Process("nic", self._words)
        wait_until(lambda: os.path.exists(self._path), 10, "the control socket", self._process)
        return self._path

    def __exit__(self, *_):
        assert self._process.stop() == 0


def test_each_packet_of_a_connection_is_traced(tmp_path):
    option, place = control_words(tmp_path)
    with Legs("delay=5ms", 1, ["--vtcp=early,always", option]) as legs:
        traced = []

        def trace(sender, receiver):
            ends = "{}:{} > {}:{}".format(*sender.getsockname(), *sender.getpeername())
            for words in ([], ["--json"]):
                process = Process("trace", [image.vtcpctl(), "trace", *place, "-n", "8", *words, ends])
                wait_until(lambda: legs.nic.process.log().count("a capture has begun") == len(traced) + 1, 10, "the trace", process)
                for _ in range(4):
                    sender.sendall(b"x" * 1000)
                    assert receiver.recv(1000)
                    time.sleep(0.02)
                assert process.wait(20) == 0, process.log()
                traced.append(process.log().splitlines())

        transfer(legs, 1 << 18, keep=trace)
    text, values = traced
    assert len(text) == len(values) == 8
    assert re.match(r"\d\d:\d\d:\d\d\.\d{9} guest   > \d+\.\d+\.\d+\.\d+:\d+ \d+\.\d+\.\d+\.\d+:7000 P?\. seq 1:1001 ack \d+ win \d+ len 1000 \| ", text[0])
    assert any("acknowledged early: 1000 octets" in line for line in text)
    first = json.loads(values[0])
    assert (first["leg"], first["direction"]) == ("guest", "in") and first["length"] > 1000 and first["decisions"]


def test_a_nic_without_the_accelerator_shows_frames_too(tmp_path):
    option, place = control_words(tmp_path)
    path = str(tmp_path / "plain.pcapng")
    with Legs("", 1, [option]) as legs:
        with capturing(place, path, "--protocol", "icmp", "--host", legs.ends[1].addresses[0], "--count", "8"):
            assert ", 0% packet loss" in legs.guest_network.run("busybox", "ping", "-c2", "-W5", legs.ends[1].addresses[0])
    rows = packets(path, INTERFACE, DIRECTION, "icmp.type")
    assert [(name, direction(way), kind) for name, way, kind in rows] == 2 * [
        ("guest", "in", "8"),
        ("network", "out", "8"),
        ("network", "in", "0"),
        ("guest", "out", "0"),
    ]


def test_a_capture_on_standard_output_is_taken_by_who_reads(tmp_path):
    option, place = control_words(tmp_path)
    with Legs("delay=1ms", 1, ["--vtcp=early,always", option]) as legs:
        command = f"{image.vtcpctl()} capture {' '.join(place)} --count 20 --port {PORT} | tshark -r - -T fields -e frame.comment"
        reading = Process("reading", ["sh", "-c", command])
        wait_until(lambda: "a capture has begun" in legs.nic.process.log(), 10, "the capture", reading)
        transfer(legs, 1 << 16)
        assert reading.wait(30) == 0, reading.log()
    assert "20 packets, 0 missed" in reading.log() and "passed" in reading.log()
    assert vtcpctl("capture", *place, "-w", str(tmp_path / "x"), status=3)
