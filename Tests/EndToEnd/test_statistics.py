# SPDX-License-Identifier: Apache-2.0
"""What vtcp-nic lets others see of connections between real kernels is what happened to them."""

import sys

import pytest
from vtcpbed import image
from vtcpbed.lateness import timed
from vtcpbed.legs import Legs
from vtcpbed.monitoring import statistics, statistics_file
from vtcpbed.process import run, wait_until

pytestmark = pytest.mark.nic

SIZE = 4 << 20
PORT = 7070
# Takes what comes, answers with an octet, and keeps the connection.
SERVER = """
import socket, sys
size = int(sys.argv[2])
listener = socket.create_server(("0.0.0.0", int(sys.argv[1])))
print("listening", flush=True)
connection = listener.accept()[0]
while size > 0: size -= len(connection.recv(1 << 20))
connection.sendall(b"x")
connection.recv(1)
"""
# Sends, waits for the answer, and keeps the connection until it is told to end.
CLIENT = """
import signal, socket, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
connection = socket.create_connection((sys.argv[1], int(sys.argv[2])))
connection.sendall(bytes(int(sys.argv[3])))
assert connection.recv(1) == b"x"
print("answered", flush=True)
signal.sigwait([signal.SIGTERM])
"""


def percentile(seen, name, which="p50"):
    assert seen["histograms"][name]["count"] > 0, f"{name} is empty"
    return seen["histograms"][name][which]


def start_transfer(legs):
    """The guest sends SIZE octets to the host. Returns the client, which keeps the connection."""
    server = legs.host.start("server", [sys.executable, "-c", SERVER, str(PORT), str(SIZE)])
    wait_until(lambda: "listening" in server.log(), 10, "the server", server)
    client = legs.guest_network.start("client", [sys.executable, "-c", CLIENT, legs.ends[1].addresses[0], str(PORT), str(SIZE)])
    wait_until(lambda: "answered" in client.log(), 60, "the answer", client)
    return client


@pytest.mark.by_the_clock
def test_both_legs_are_told_as_they_were():
    with statistics_file() as path:
        with Legs("delay=5ms,loss=1%", 1, ["--vtcp=early", f"--stats-file={path}"]) as legs:
            client = start_transfer(legs)
            seen = statistics(path)
            again = legs.guest_network.kernel_counter("TcpRetransSegs")
            table = run([image.nic(), "--stats", path])
            link = legs.relay.report()
            assert client.stop() == 0
            # Both ends' FINs are acknowledged, and the connection is over.
            wait_until(lambda: not statistics(path)["flows"], 10, "the end of the connection")
            after = statistics(path)
        ended = statistics(path)
    check_connection(seen, link, again)
    with timed():
        check_distributions(seen)
    assert f":{PORT} established" in table and "network accelerated rtt:" in table and "retrans:" in table
    assert after["network_leg"]["retransmissions"] >= seen["network_leg"]["retransmissions"]
    assert seen["process"]["running"] and not ended["process"]["running"]


@pytest.mark.parametrize(("link", "pays"), [("", False), ("loss=2%", True)], ids=["short", "lossy"])
def test_a_short_path_is_left_alone_while_it_loses_nothing(link, pays):
    with statistics_file() as path, Legs(link, 1, ["--vtcp=early", f"--stats-file={path}"]) as legs:
        client = start_transfer(legs)
        seen = statistics(path)
        table = run([image.nic(), "--stats", path])
        assert client.stop() == 0
    counters, (flow,) = seen["counters"], seen["flows"]
    network = flow["network_leg"]
    assert network["delivered"] == SIZE
    if pays:
        assert counters["early_octets"] > 0 and network["retransmissions"] > 0
    elif not counters["accelerations"]:
        assert (network["state"], network["reason"], counters["early_octets"]) == ("pass-through", "not-worthwhile", 0)
        assert "not-worthwhile" in table
    else:
        # A machine that is busy keeps what plays the guest from its processor, or makes the path long for a moment.
        assert counters["guest_stalls"] or flow["guest_leg"]["duplicates"] or counters["drains"], seen


def check_connection(seen, link, again):
    assert seen["process"]["mode"] == "early" and seen["counters"]["flows"] == seen["current"]["flows"] == 1
    (flow,) = seen["flows"]
    assert (flow["network"]["port"], flow["opener"], flow["phase"], flow["untouched"]) == (PORT, "guest", "established", "none")
    network, guest = flow["network_leg"], flow["guest_leg"]
    assert (network["delivered"], guest["delivered"]) == (SIZE, 1)
    assert (network["state"], network["held"], network["owned"], network["in_flight"]) == ("accelerated", 0, 0, 0)
    assert seen["counters"]["early_octets"] > SIZE / 2
    # What the link lost was sent again by us, and not by the guest.
    lost = link["a_to_b"]["lost"]
    assert 0 < lost - 3 <= network["retransmissions"] <= 2 * lost
    assert guest["duplicates"] <= again <= network["retransmissions"] / 4
    assert network["congestion_window"] >= network["segment_size"] > 500 and network["slow_start_threshold"] < SIZE
    assert network["window"] > 0 and guest["window"] > 0
    for leg, name in ((network, "network_leg"), (guest, "guest_leg")):
        for counter in ("segments", "retransmissions", "early_acknowledgments", "swallowed_acknowledgments"):
            assert seen[name][counter] == leg[counter], f"{name} {counter}"
    assert guest["early_acknowledgments"] > 10


def check_distributions(seen):
    # 5 ms each way on the network's leg, and none on the guest's.
    assert 9_000 < percentile(seen, "network_round_trip_us") < 60_000
    assert percentile(seen, "network_round_trip_us", "p99") < 500_000
    # Less than a round trip where our acknowledgment had to wait for a processor, or for a second segment.
    assert percentile(seen, "transmit_lead_us") > 4_000
    assert percentile(seen, "network_recovery_us") > 9_000
    assert percentile(seen, "transmit_held_octets", "p99") > 10_000
    # Times are those at which a turn began: who loses the processor within one measures less.
    assert seen["flows"][0]["network_leg"]["minimum_round_trip_us"] > 7_000
