# SPDX-License-Identifier: Apache-2.0
"""vtcpbed.segments, which judges captures, by captures that are made here."""

import struct

import pytest
from vtcpbed.segments import Judge, folded_sum

A, B = (b"\x0a\x00\x00\x01", 1000), (b"\x0a\x00\x00\x02", 2000)
FIN, SYN, RST, ACK = 1, 2, 4, 16


def segment(source, destination, flags, number, acknowledgment=0, octets=b"", window=100, time=None, harm=0):
    """A frame. The window is not scaled; `time`: TSval and TSecr; `harm`: added to the checksum."""
    options = b"" if time is None else struct.pack("!BBBBII", 1, 1, 8, 10, *time)
    tcp = struct.pack("!HHIIBBHHH", source[1], destination[1], number, acknowledgment, (20 + len(options)) << 2, flags, window, 0, 0)
    tcp += options + octets
    pseudo = source[0] + destination[0] + struct.pack("!II", len(tcp), 6)
    tcp = tcp[:16] + struct.pack("!H", (~folded_sum(pseudo + tcp) + harm) & 0xFFFF) + tcp[18:]
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 1, 0x4000, 64, 6, 0) + source[0] + destination[0]
    ip = ip[:10] + struct.pack("!H", ~folded_sum(ip) & 0xFFFF) + ip[12:]
    return bytes(12) + b"\x08\x00" + ip + tcp


def judged(folder, frames):
    path = folder / "capture"
    with open(path, "wb") as file:
        file.write(struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for frame in frames:
            file.write(struct.pack("=IIII", 0, 0, len(frame), len(frame)) + frame)
    return Judge(path, has_checksums=True)


# A's numbers begin short of where they begin anew.
FIRST = 0xFFFFFFF0
OPENING = [segment(A, B, SYN, FIRST), segment(B, A, SYN | ACK, 500, FIRST + 1), segment(A, B, ACK, FIRST + 1, 501)]


def data(place, octets, **options):
    return segment(A, B, ACK, (FIRST + place) & 0xFFFFFFFF, 501, octets, **options)


def acknowledgment(place, **options):
    return segment(B, A, ACK, 501, (FIRST + place) & 0xFFFFFFFF, **options)


def test_a_connection_as_it_should_be_is_not_blamed(tmp_path):
    frames = [data(1, b"a" * 20), acknowledgment(21), data(21, b"bc"), data(22, b"c"), acknowledgment(23)]
    frames += [segment(A, B, FIN | ACK, 7, 501), acknowledgment(24), segment(A, B, RST, 8)]
    judge = judged(tmp_path, OPENING + frames)
    assert judge.findings == {}
    assert (judge.connections, judge.segments) == (1, 11)


@pytest.mark.parametrize(
    ("sentence", "frames"),
    [
        ("a wrong checksum", [data(1, b"a", harm=1)]),
        ("other octets than before", [data(1, b"abcd"), data(3, b"cx")]),
        ("data beyond the window", [data(1, b"a"), data(2, b"b" * 100)]),
        ("a number beyond the window", [data(1, b"a"), data(103, b"")]),
        ("an acknowledgment of what was not sent", [data(1, b"abcd"), acknowledgment(6)]),
        ("an acknowledgment that goes back", [data(1, b"abcd"), acknowledgment(5), acknowledgment(3)]),
        ("another FIN", [segment(A, B, FIN | ACK, FIRST + 1, 501), segment(A, B, FIN | ACK, FIRST + 2, 501)]),
        ("data behind the FIN", [segment(A, B, FIN | ACK, FIRST + 1, 501), data(2, b"a")]),
    ],
)
def test_what_no_peer_may_send_is_found(tmp_path, sentence, frames):
    assert judged(tmp_path, OPENING + frames).findings == {sentence: 1}


@pytest.mark.parametrize(
    ("sentence", "time"), [("an older time than before", (9, 70)), ("an echo of a time that was not yet", (11, 71)), ("no timestamps", None)]
)
def test_times_that_are_wrong_are_found(tmp_path, sentence, time):
    opening = [segment(A, B, SYN, FIRST, time=(10, 0)), segment(B, A, SYN | ACK, 500, FIRST + 1, time=(70, 10))]
    frames = [segment(A, B, ACK, FIRST + 1, 501, time=(10, 70)), segment(A, B, ACK, FIRST + 1, 501, b"a", time=time)]
    assert judged(tmp_path, opening + frames).findings == {sentence: 1}
