# SPDX-License-Identifier: Apache-2.0
"""Many TCP connections of real kernels through the NIC and over a bad link: each octet arrives, nothing hangs, nobody sees anything wrong.

The link, the connections and what they carry follow from the seed: a failure's options repeat it. VTCP_LONG: hundreds of connections, all
combinations. VTCP_REPORT=FILE gets a line of JSON for each run, with what both kernels have counted.
"""

import contextlib
import os
import signal
import threading

import pytest
from vtcpbed import Network
from vtcpbed.flows import NetworkEnd, begin_flows, run_flows
from vtcpbed.legs import Legs, appended_report
from vtcpbed.monitoring import statistics, statistics_file
from vtcpbed.segments import Judge

pytestmark = pytest.mark.nic

LONG = bool(os.environ.get("VTCP_LONG"))
SEED = int(os.environ.get("VTCP_SEED", "1"))
CONGESTION = "cubic,reno,bbr"
LOAD = {"flows": 400, "max_size": 1 << 20} if LONG else {"flows": 60, "max_size": 512 << 10, "pause": 150}

LINKS = {
    "clean": "",
    "loss": "delay=2ms,loss=1%",
    "bursts": "delay=2ms,bursts=0.3%/30%",
    "reorder": "delay=2ms,reorder=3%,reorder-by=4ms",
    "duplicate": "delay=2ms,duplicate=5%",
    "corrupt": "delay=2ms,corrupt=1%",
    "delay": "delay=20ms,jitter=5ms,rate=100mbit,queue=100000",
    "marks": "delay=2ms,mark=5%,rate=200mbit,mark-above=60000",
    "stalls": "stall=40ms/50ms",
    "tangled": "delay=2ms,loss=1%,reorder=1%,duplicate=1%",
    "mixed": "delay=3ms,jitter=1ms,loss=0.5%,reorder=1%,duplicate=1%,corrupt=0.3%,mark=2%,bursts=0.1%/30%",
}
SETTINGS = {
    "as-they-are": {},
    "no-SACK": {"tcp_sack": 0},
    "no-timestamps": {"tcp_timestamps": 0},
    "no-scaling": {"tcp_window_scaling": 0},
    "ECN": {"tcp_ecn": 1},
    "nothing": {"tcp_sack": 0, "tcp_timestamps": 0, "tcp_window_scaling": 0},
}
# The module's modes.
MODES = ("off", "limit", "snoop", "early")
# What asks for them, for each connection; and for those where it pays, which changes under way.
OPTIONS = {"off": "off", "limit": "limit", "snoop": "snoop,always", "early": "early,always", "where-it-pays": "early"}
# What is run for each change; VTCP_LONG has all modes, and all settings on all links.
SHORT = [("off", "clean", "as-they-are"), ("off", "mixed", "as-they-are"), ("limit", "mixed", "as-they-are"), ("limit", "mixed", "nothing"), ("snoop", "mixed", "as-they-are")]
SHORT += [("early", link, "as-they-are") for link in ("clean", "loss", "delay", "stalls", "mixed")]
SHORT += [("where-it-pays", link, "as-they-are") for link in ("stalls", "mixed")]
SHORT += [("early", "mixed", setting) for setting in SETTINGS if setting != "as-they-are"]


def combinations():
    on_mixed = [("mixed", setting) for setting in SETTINGS if setting != "as-they-are"]
    pairs = [*((link, "as-they-are") for link in LINKS), *on_mixed, ("marks", "ECN")]
    rows = [(mode, *pair) for mode in OPTIONS for pair in pairs] if LONG else SHORT
    return [pytest.param(*row, id="-".join(row)) for row in rows]


def start_legs(mode, link, **options):
    return Legs(link, SEED, [f"--vtcp={OPTIONS[mode]}"], **options)


@contextlib.contextmanager
def captured(legs):
    """What goes through the devices of both ends, from beginning to end."""
    with legs.captured(legs.guest_network, "guest0") as guest, legs.captured(legs.host, "link0") as host:
        yield {"guest": guest, "host": host}
    assert guest.lost() == host.lost() == 0, "the captures are not whole"


def passed(request, legs, seconds=60, **options):
    """Runs the connections, notes what was seen, and fails if anything is wrong."""
    seen = run_flows(legs.ends, SEED, 600 if LONG else seconds, **{**LOAD, "congestion": CONGESTION, **options})
    seen["link"] = legs.relay.report()
    appended_report(request.node.name, seen)
    assert not seen["problems"], "\n".join([f"flows {seen['options']}", *seen["problems"][:20], f"{seen['counters']}", f"{seen['link']}"])
    return seen


@pytest.mark.parametrize(("mode", "link", "setting"), combinations())
def test_connections_of_all_kinds_bring_every_octet(request, mode, link, setting):
    with start_legs(mode, LINKS[link]) as legs:
        for end in legs.ends:
            end.set(SETTINGS[setting])
        seen = passed(request, legs)
    assert seen["a"]["aborted"] + seen["b"]["aborted"] > 0, "no connection was reset"
    assert seen["a"]["congestion_refused"] == seen["b"]["congestion_refused"] == 0


GUESTS = [(kernel, mode) for kernel in ("6.1", "6.12") for mode in MODES] if LONG else [("6.12", "early")]


@pytest.mark.parametrize(("kernel", "mode"), GUESTS)
def test_connections_of_a_guest_bring_every_octet(request, kernel, mode):
    with start_legs(mode, LINKS["mixed"], guest=kernel) as legs:
        passed(request, legs, seconds=100, flows=100 if LONG else 30)


# What was damaged on the way is invalid, whoever sent it.
TRACKED = [(mode, link) for mode in MODES for link in LINKS if "corrupt" not in LINKS[link]] if LONG else [("off", "loss"), ("early", "clean"), ("early", "loss"), ("early", "stalls")]


@pytest.mark.parametrize(("mode", "link"), TRACKED)
def test_strict_connection_tracking_between_the_legs_drops_nothing(request, mode, link):
    with start_legs(mode, LINKS[link]) as legs:
        legs.track_connections()
        # A kernel answers a late word of a connection before, with the same ports, by a reset, which tracking takes for the new one's.
        passed(request, legs, abort=0, reuse=0)
        count, reasons = legs.invalid()
    assert count == 0, reasons


CAPTURED = [("off", "tangled"), *(("early", link) for link in LINKS if LONG and "corrupt" not in LINKS[link] or link == "tangled")]


@pytest.mark.parametrize(("mode", "link"), CAPTURED)
def test_neither_end_is_given_a_segment_that_no_peer_may_send(request, mode, link):
    with start_legs(mode, LINKS[link]) as legs:
        with captured(legs) as captures:
            passed(request, legs)
        for end, capture in captures.items():
            judge = Judge(capture.path, has_checksums=end == "host", keeps_order="reorder" not in LINKS[link])
            assert judge.connections > LOAD["flows"], f"{end}: only {judge.connections} connections were captured"
            assert not judge.findings, f"{end}: {judge.findings}, first {judge.examples}"
            assert judge.slightly_beyond < judge.segments / 10_000 + 2, f"{end}: {judge.slightly_beyond} of {judge.segments} segments end beyond the window"


# What a kernel counts if the other end, or who is between, does what it should not.
ODD = {
    "old times": ("PAWSEstab", "PAWSActive"),
    "timeouts in vain": ("TCPSpuriousRTOs",),
    "data twice": ("TCPDSACKRecv", "TCPDSACKOfoRecv"),
    "challenges": ("TCPChallengeACK", "TCPSYNChallenge", "TCPACKSkippedChallenge"),
    "SACK taken back": ("TCPSACKReneging",),
}


@pytest.mark.parametrize("link", LINKS if LONG else ["clean", "tangled"])
def test_kernels_count_no_more_that_is_odd_than_without_the_module(request, link):
    """On both ends together not more than twice as much; or, where that is next to nothing, than one for each ten of the connections and
    of the frames that the link harmed, since processors that are busy with other things make kernels repeat, too; of timeouts in vain one for
    each hundred connections, and three."""
    counted = {}
    for mode in ("off", "early"):
        with start_legs(mode, LINKS[link]) as legs:
            seen = passed(request, legs)
        connections = seen["a"]["connections"]
        counted[mode] = {what: sum(end.get(name, 0) for end in seen["counters"] for name in names) for what, names in ODD.items()}
        harmed = sum(seen["link"][way][how] for way in ("a_to_b", "b_to_a") for how in HARM)
    appended_report(request.node.name, {**counted, "harmed": harmed})
    few = {**dict.fromkeys(ODD, (harmed + connections) // 10), "timeouts in vain": connections // 100 + 3}
    more = {what: (off, on) for what, off in counted["off"].items() if (on := counted["early"][what]) > max(2 * off, few[what])}
    assert not more, f"off and early, of {connections} connections and {harmed} frames that were harmed: {more}"


# Fates of frames in the relay's report.
HARM = ("lost", "lost_in_bursts", "duplicated", "reordered", "corrupted", "marked", "overflowed")


# What tshark's expert warns of, and what no link that loses nothing explains.
UNSEEN = ("ACKed segment that wasn't captured", "Previous segment")


@pytest.mark.parametrize("mode", MODES if LONG else ["early"])
def test_tshark_finds_no_segment_invalid_at_either_end(request, mode):
    """Urgent data that come while others wait in the module are dropped by it, and sent again: so much may be missing for a while,
    and be acknowledged when tshark does not expect it. And it takes a sender that probes a shut window for one that left something out, one in
    some thousand connections, without the module as well."""
    dropped = 0
    with statistics_file() as path, Legs("delay=1ms", SEED, [f"--vtcp={OPTIONS[mode]}", *([f"--stats-file={path}"] if mode != "off" else [])]) as legs:
        with captured(legs) as captures:
            # Where ports are used again, what tshark takes for the new connection may be a late word of the one before.
            passed(request, legs, abort=0, reuse=0)
        if mode != "off":
            dropped = statistics(path)["counters"]["dropped_segments"]
        found = {end: capture.expert(has_checksums=end == "host") for end, capture in captures.items()}
    appended_report(request.node.name, {end: {" ".join(key): count for key, count in expert.items()} for end, expert in found.items()})
    for end, expert in found.items():
        assert expert, f"tshark saw nothing at the {end}"
        wrong = {key: count for key, count in expert.items() if key[0] == "Errors" or key[1].startswith(UNSEEN)}
        errors = [key for key, count in wrong.items() if not key[1].startswith(UNSEEN) or count > dropped + LOAD["flows"] // 200]
        assert not errors, f"{end}, {dropped} dropped: {expert}"


def test_the_load_notices_octets_that_were_not_sent():
    """Two sides of different seeds expect other octets than they get."""
    with Network() as network:
        ends = [NetworkEnd(network, ["127.0.0.1"]) for _ in range(2)]
        words = ["--flows", 4, "--stall", 2, "--limit", 10, "--peer", "127.0.0.1", "--abort", 0]
        ends[0].start("a", ["--side", "a", "--seed", 1, *words])
        ends[1].start("b", ["--side", "b", "--seed", 2, *words])
        begin_flows(ends)
        for end in ends:
            assert end._process.wait(20) == 1
        assert any("is wrong" in end.log() or "than were sent" in end.log() or "ended early" in end.log() for end in ends)


def test_the_load_tells_which_connections_hang():
    with Legs("delay=20ms") as legs:
        stop = threading.Timer(0.8, legs.relay.process.send, [signal.SIGSTOP])
        stop.start()
        try:
            seen = run_flows(legs.ends, SEED, 30, flows=20, stall=1, spread=2000)
        finally:
            stop.cancel()
            legs.relay.process.send(signal.SIGCONT)
    assert seen["a"]["hangs"] + seen["b"]["hangs"] > 0
    assert any("hangs" in line for line in seen["problems"])
