# SPDX-License-Identifier: Apache-2.0
"""Timeouts of kernels behind the vTCP module, by captures at both ends: in vain only where the receiver's window was shut."""

import collections
import os
import struct

import pytest
from test_segments import ACK, FIN, SYN, A, B, segment
from vtcpbed.flows import run_flows
from vtcpbed.lateness import timed
from vtcpbed.legs import Legs, appended_report
from vtcpbed.timeouts import timeouts

LONG = bool(os.environ.get("VTCP_LONG"))
SEED = int(os.environ.get("VTCP_SEED", "1"))
MODES = ("off", "snoop,always", "early,always") if LONG else ("early,always",)


@pytest.mark.nic
@pytest.mark.by_the_clock
@pytest.mark.parametrize("mode", MODES)
def test_kernels_time_out_in_vain_only_while_a_window_is_shut(request, mode):
    """But for one of a hundred connections: processors that are busy with other things make kernels repeat, too."""
    with Legs("", SEED, [f"--vtcp={mode}"]) as legs:
        with legs.captured(legs.guest_network, "guest0") as guest, legs.captured(legs.host, "link0") as host:
            load = {"flows": 400, "max_size": 1 << 20} if LONG else {"flows": 100, "max_size": 512 << 10}
            seen = run_flows(legs.ends, SEED, 600 if LONG else 60, congestion="cubic,reno,bbr", **load)
        assert guest.lost() == host.lost() == 0, "the captures are not whole"
        assert not seen["problems"], seen["problems"][:20]
        ends = [end.addresses for end in legs.ends]
        found = [*timeouts(guest.path, host.path, ends[0]), *timeouts(host.path, guest.path, ends[1])]
    kinds = collections.Counter()
    for timeout in found:
        what = "a FIN" if timeout.is_fin else "data"
        kinds[f"{what}, {'shut' if timeout.was_shut else 'open'}, {'in vain' if timeout.in_vain else 'not in vain'}"] += 1
    counted = {name: sum(end.get(name, 0) for end in seen["counters"]) for name in ("TCPTimeouts", "TCPSpuriousRTOs")}
    appended_report(request.node.name, {"connections": seen["a"]["connections"], **kinds, **counted})
    others = [timeout for timeout in found if timeout.in_vain and not timeout.was_shut]
    with timed():
        assert len(others) <= seen["a"]["connections"] // 100, others
        # Nor do the kernels think that of those while it was shut: the receiver had thrown away what was on its way.
        assert counted["TCPSpuriousRTOs"] <= seen["a"]["connections"] // 100 + 3


# What follows judges the judge.
OPENING = [(0.0, segment(A, B, SYN, 0)), (0.1, segment(B, A, SYN | ACK, 0, 1))]


def captured(path, frames):
    with open(path, "wb") as file:
        file.write(struct.pack("=IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1))
        for time, frame in [*OPENING, *frames]:
            file.write(struct.pack("=IIII", int(time), int(time % 1 * 1e9), len(frame), len(frame)) + frame)
    return path


def data(place, flags=ACK, octets=b"abcde"):
    return segment(A, B, flags, place, 1, octets)


def found(folder, near, far=()):
    return timeouts(captured(folder / "near", near), captured(folder / "far", far), ["10.0.0.1"])


def test_a_timeout_is_in_vain_if_what_was_not_sent_again_is_acknowledged(tmp_path):
    sent = [(1.0, data(1)), (1.0, data(6)), (1.25, data(1))]
    assert [timeout.in_vain for timeout in found(tmp_path, [*sent, (2.0, segment(B, A, ACK, 1, 11))])] == [True]
    again = [*sent, (1.9, segment(B, A, ACK, 1, 6)), (1.9, data(6)), (2.0, segment(B, A, ACK, 1, 11))]
    assert [timeout.in_vain for timeout in found(tmp_path, again)] == [False]
    # Three acknowledgments have asked for it, and it went at once.
    assert found(tmp_path, [*sent[:2], (1.05, data(1)), (2.0, segment(B, A, ACK, 1, 11))]) == []


def test_a_fin_that_is_repeated_alone_is_no_timeout_in_vain(tmp_path):
    sent = [(1.0, data(1)), (1.0, data(6, ACK | FIN, b"")), (1.0, segment(B, A, ACK, 1, 6)), (1.5, data(6, ACK | FIN, b""))]
    (timeout,) = found(tmp_path, [*sent, (2.0, segment(B, A, ACK, 1, 7))])
    assert (timeout.is_fin, timeout.in_vain) == (True, False)


@pytest.mark.parametrize(("when", "was_shut"), [(0.9, True), (1.1, True), (1.3, False)])
def test_the_receiver_says_itself_whether_its_window_was_shut(tmp_path, when, was_shut):
    near = [(1.0, data(1)), (1.0, data(6)), (1.25, data(1)), (2.0, segment(B, A, ACK, 1, 11))]
    (timeout,) = found(tmp_path, near, [(when, segment(B, A, ACK, 1, 1, window=0)), (2.0, segment(B, A, ACK, 1, 11))])
    assert timeout.was_shut == was_shut
    assert round(timeout.waited, 3) == 0.25
