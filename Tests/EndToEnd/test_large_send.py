# SPDX-License-Identifier: Apache-2.0
"""The first stage of multi-stage large send offload (R64 to R66): what a stock guest sends in one piece leaves in pieces that the uplink takes."""

import contextlib
import os
import signal
import struct
import time

import pytest
from conftest import started_machine
from vtcpbed import Direction, Transfer
from vtcpbed.process import wait_until
from vtcpbed.segments import Judge
from vtcpbed.traffic import MEBIBYTE

pytestmark = pytest.mark.nic

# Bytes of a frame and segments, of which the one or the other counts; the last is Windows' 62 KiB.
LIMITS = [(16384, 65535), (32768, 20), (63488, 65535)]
MSS = 1448
MACHINES = {
    "packet socket": {"uplink": "packet"},
    "TAP": {"uplink": "tap"},
    "packet socket, early": {"uplink": "packet", "nic_options": ("--vtcp=early,always",)},
}


@pytest.fixture(scope="module", params=list(MACHINES))
def machine(request):
    with started_machine(**MACHINES[request.param]) as machine:
        yield machine


def limit(machine, size, segments):
    """Has the NIC's interface take less in one piece, and waits until vtcp-nic says that it knows."""
    machine.network.ip("link", "set", machine.tap, "gso_max_size", size, "gso_max_segs", segments)
    words = f"large sends of {size - 1} bytes (IPv4), {size - 1} (IPv6), {segments} segments"

    def known():
        machine.guest.run(f"ping -c 1 -W 1 {machine.network.addresses.host()}")
        lines = [line for line in machine.nic.process.log().splitlines() if "takes large sends of" in line]
        return lines and lines[-1].endswith(words)

    wait_until(known, 10, words, machine.nic.process)


@contextlib.contextmanager
def captured(machine, path, snapshot):
    """Frames of TCP as they come out behind the NIC's interface, into a file."""
    device = machine.tap if machine.tap.startswith("tap") else "veth1"
    words = ["tcpdump", "-i", device, "-Q", "in", "-s", str(snapshot), "-B", "65536", "--immediate-mode", "-Z", "root", "-w", str(path), "tcp"]
    process = machine.network.start(f"tcpdump-{path.name}", words)
    wait_until(lambda: "listening on" in process.log(), 10, "tcpdump", process)
    try:
        yield
        # What was captured is written when nothing more comes.
        size = -1
        while size != os.path.getsize(path):
            size = os.path.getsize(path)
            time.sleep(0.2)
    finally:
        process.stop(signal.SIGTERM)


def sizes(path):
    """Of each frame in the file: its length, and the octets of its TCP payload."""
    data = path.read_bytes()
    place = 24
    result = []
    while place + 16 <= len(data):
        kept, length = struct.unpack_from("=II", data, place + 8)
        frame = data[place + 16 : place + 16 + kept]
        transport = 54 if frame[12:14] == b"\x86\xdd" else 34
        result.append((length, length - transport - (frame[transport + 12] >> 4) * 4))
        place += 16 + kept
    return result


def split_frames(machine):
    return sum(row.get("splitFrames", 0) for row in machine.nic.counters())


@pytest.mark.parametrize("family", [4, 6], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize(("size", "segments"), LIMITS)
def test_what_the_guest_sends_leaves_in_pieces_that_the_interface_takes(machine, size, segments, family, tmp_path):
    limit(machine, size, segments)
    before = split_frames(machine)
    path = tmp_path / "capture"
    with captured(machine, path, 128):
        Transfer(machine.guest, Direction.TRANSMIT, 64 * MEBIBYTE, family).finish()
    frames = sizes(path)
    headers, payload = (66, MSS) if family == 4 else (86, MSS - 20)
    assert max(length for length, _ in frames) < size
    assert max(octets for _, octets in frames) <= segments * payload
    if machine.nic.options:
        # The accelerator's own are as large as its pacer lets them be.
        return
    most = min((size - 1 - headers) // payload, segments) * payload
    assert split_frames(machine) > before
    assert sum(octets == most for _, octets in frames) > 20, "no piece is as large as it may be"
    # What the kernel had cut in software would be no larger than a segment.
    assert sum(octets for _, octets in frames if octets > payload) > 0.9 * sum(octets for _, octets in frames)


@pytest.mark.parametrize("family", [4, 6], ids=["IPv4", "IPv6"])
def test_behind_the_second_stage_every_segment_is_right(machine, family, tmp_path):
    if machine.tap.startswith("tap"):
        pytest.skip("behind a TAP is this machine's own stack")
    limit(machine, *LIMITS[0])
    machine.network.run("ethtool", "-K", machine.tap, "tx", "off")
    try:
        path = tmp_path / "capture"
        with captured(machine, path, 0):
            Transfer(machine.guest, Direction.TRANSMIT, 32 * MEBIBYTE, family).finish()
    finally:
        machine.network.run("ethtool", "-K", machine.tap, "tx", "on")
    assert max(length for length, _ in sizes(path)) <= 1514
    assert "a wrong checksum" not in Judge(path, has_checksums=True).findings


def test_a_limit_that_falls_during_a_transfer_is_kept_within_two_seconds(machine, tmp_path):
    limit(machine, 65536, 65535)
    transfer = Transfer(machine.guest, Direction.TRANSMIT, 512 * MEBIBYTE)
    machine.network.ip("link", "set", machine.tap, "gso_max_size", 16384)
    time.sleep(2)
    path = tmp_path / "capture"
    with captured(machine, path, 128):
        transfer.finish()
    assert max(length for length, _ in sizes(path)) < 16384
