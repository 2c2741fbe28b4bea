# SPDX-License-Identifier: Apache-2.0
"""Our congestion control and that of a Linux guest, on the acknowledgments and losses that the guest has met (docs/algorithms.md)."""

import json
import os
import subprocess

import pytest
from vtcpbed import image
from vtcpbed.legs import appended_report
from vtcpbed.oracle import BEDS, Oracle, schedule
from vtcpbed.process import BedError

# Those that are always within their bounds, however the schedule falls out. Illinois and H-TCP are in most runs, and have to be for the recordings
# in Tests/Recorded (AgreementTests); see docs/algorithms.md.
HELD = ("newReno", "scalable", "highSpeed", "dctcp", "cubic", "bic", "westwood", "vegas")
ATTEMPTS = 3

SECONDS = 6
# In the first of them Westwood+ has nothing to compare.
LONGER = {"westwood": 12}
SEED = int(os.environ.get("VTCP_SEED", "1"))


def compared(text, path):
    path.write_text(text)
    done = subprocess.run([image.simulator(), "--replay", path, "--json"], stdout=subprocess.PIPE, text=True, timeout=60)
    return json.loads(done.stdout)


@pytest.mark.nic
def test_windows_are_those_of_linux_on_the_same_acknowledgments_and_losses(request, tmp_path):
    wrong = []
    for link, algorithms in BEDS:
        with Oracle(link, SEED) as oracle:
            for algorithm in algorithms:
                # Losses fall where they fall, and some recordings are of little else than recoveries: an algorithm that is wrong is so in each.
                for _ in range(ATTEMPTS):
                    seen = compared(oracle.record(algorithm, LONGER.get(algorithm, SECONDS)), tmp_path / algorithm)
                    appended_report(request.node.name, seen)
                    is_right = (seen["algorithm"] not in HELD or seen["within"]) and seen["losses"] >= 1 and seen["compared"] >= 300
                    if is_right:
                        break
                else:
                    wrong.append(seen)
    assert not wrong, "\n".join(map(str, wrong))


# What follows judges the recorder.
HEAD = "socat-1 [000] ..s1. "


def probe(time, acknowledged, sent, window):
    return f"{HEAD}{time:.6f}: tcp_probe: family=AF_INET data_len=0 snd_nxt={sent:#x} snd_una={acknowledged:#x} snd_cwnd={window} ssthresh=90"


def rate(time, delivered, sample):
    return f"{HEAD}{time:.6f}: rate: (tcp_rate_gen+0x0/0x10) delivered={delivered} rtt={sample}"


def flags(time, number):
    return f"{HEAD}{time:.6f}: flags: (tcp_rcv_established+0x0/0x10) flags={number}"


def state(time, number):
    return f"{HEAD}{time:.6f}: tcp_cong_state_set: family=AF_INET sport=1 dport=2 cong_state={number}"


def test_a_trace_becomes_a_schedule():
    trace = [
        probe(1.0, 0xFFFFFF00, 0x2000, 10),
        rate(1.0, 1, 20000),
        probe(1.001, 0x4A8, 0x2000, 11),
        # Nothing is acknowledged, and a segment found lost.
        state(1.001, 1),
        rate(1.001, 1, 20100),
        probe(1.002, 0x4A8, 0x2000, 11),
        state(1.002, 3),
        rate(1.002, 2, -1),
        probe(1.003, 0x4A8, 0x2000, 7),
        state(1.003, 0),
        rate(1.003, 1, -1),
        probe(1.004, 0x2000, 0x2000, 5),
        rate(1.004, 0, -1),
        state(1.204, 4),
        probe(1.3, 0x2000, 0x3000, 1),
    ]
    assert schedule("\n".join(trace)) == [
        "window 10",
        "threshold 90",
        f"0 {0x5A8} 20000 {0x2100} 11",
        f"1000 0 20100 {0x2000 - 0x4A8} = 1448",
        f"loss 1000 {0x2000 - 0x4A8} 11",
        "0 = - = 7 2896",
        "ended 1448",
        f"1000 {0x2000 - 0x4A8} = = 5 1448",
        "timeout 201000 4096",
    ]


def test_a_mark_is_told_with_the_acknowledgment_that_reports_it():
    trace = [
        rate(0.9, 1, 19000),
        flags(1.0, 0x10),
        probe(1.0, 0, 14480, 10),
        rate(1.0, 1, 20000),
        # ACK and ECE.
        flags(1.001, 0x50),
        probe(1.001, 1448, 14480, 11),
        state(1.001, 2),
        rate(1.001, 1, 20000),
        flags(1.002, 0x10),
        probe(1.002, 2896, 14480, 10),
    ]
    assert schedule("\n".join(trace)) == [
        "window 10",
        "threshold 90",
        "0 1 19000 1 10 0",
        "100000 1448 20000 14480 11",
        "mark 1000 11",
        "0 = = 13032 10 marked",
    ]


def test_a_reduction_that_follows_another_at_once_begins_where_that_has_ended():
    trace = [
        probe(1.0, 1448, 14480, 100),
        state(1.0, 3),
        rate(1.0, 1, 20000),
        probe(1.1, 1448, 14480, 99),
        state(1.1, 0),
        state(1.1, 3),
        rate(1.1, 1, 20000),
        probe(1.2, 14480, 28960, 80),
    ]
    # The slow start threshold; by then the window is that of the second recovery.
    assert [line for line in schedule("\n".join(trace)) if line[0].isalpha()][2:] == ["loss 0 13032 100", "ended 1448", "loss 100000 0 90"]


def test_a_trace_that_is_not_whole_is_refused():
    with pytest.raises(BedError):
        schedule(f"{probe(1, 0, 9, 10)}\nCPU:0 [LOST 12 EVENTS]\n")
    with pytest.raises(BedError):
        schedule("# tracer: nop\n")
