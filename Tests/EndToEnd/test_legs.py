# SPDX-License-Identifier: Apache-2.0
"""What both legs of a connection look like to others: the guest's obeys the guest's rules, the network's those of policy (R45, FIG. 3)."""

import socket
import threading
import time

import pytest
from vtcpbed.flight import Flight
from vtcpbed.lateness import timed
from vtcpbed.legs import Legs
from vtcpbed.monitoring import statistics, statistics_file
from vtcpbed.process import inside

# Windows are measured by the clock here, and whoever holds up a process of the bed long enough changes them.
pytestmark = [pytest.mark.nic, pytest.mark.by_the_clock]

# Slow enough for the queues to outlast a wait for a processor.
SHORT = "delay=15ms,rate=10mbit,queue=40000"
LONG = "delay=30ms,rate=20mbit,queue=110000"
# Segments that fill the link and its queue.
FULL = {SHORT: 52, LONG: 172}
SECONDS = 12
PORT = 5000
# Segments that the guest's kernel lets out at most, whatever happens; and what it does by itself.
FEW = "congctl lock reno cwnd lock 8"
RENO = "congctl lock reno"
CUBIC = "congctl lock cubic"


def captured(link, policy, route, folder, mode="early", more=()):
    """The flights of a bulk transfer of the guest on both legs, and the octets a second that arrived."""
    options = ["--vtcp=off"]
    if policy is not None:
        path = folder / "vm.policy"
        path.write_text(f"default mode={mode} leastRoundTrip=0 usesHyStart=off {policy}\n")
        options = [f"--vtcp={mode}", f"--policy={path}", *more]
    with Legs(link, 1, options) as legs:
        guest, host = legs.guest_network, legs.host
        guest.ip("route", "change", "default", "via", guest.addresses.host(4), *route.split())
        # A probe for a lost tail is due after 2 ms where the round trip is as short as this: a busy machine is later with an acknowledgment at times.
        guest.sysctl("net.ipv4.tcp_early_retrans=0")
        # From what a connection leaves the kernel knows the route's rules.
        transfer(guest, host, legs.ends[1].addresses[0], 0.5)
        with legs.captured(guest, "guest0") as near, legs.captured(legs.router, "nic0") as far:
            began = time.monotonic()
            count = transfer(guest, host, legs.ends[1].addresses[0], SECONDS)
            speed = count / (time.monotonic() - began)
        with timed():
            assert near.lost() == far.lost() == 0, "the captures are not whole"
        return Flight(near.path, 1448, FULL[link]), Flight(far.path, 1448, FULL[link]), speed


def transfer(guest, host, address, seconds):
    with inside(host.path):
        listener = socket.create_server((address, PORT))
    with listener:
        with inside(guest.path):
            sender = socket.create_connection((address, PORT), timeout=SECONDS)
        receiver, _ = listener.accept()
    count = 0
    with sender, receiver:
        stop = time.monotonic() + seconds
        thread = threading.Thread(target=send, args=(sender, stop), daemon=True)
        thread.start()
        receiver.settimeout(SECONDS)
        while octets := len(receiver.recv(1 << 16)):
            count += octets
        thread.join()
    return count


def send(end, stop):
    while time.monotonic() < stop:
        end.sendall(bytes(1 << 14))
    end.shutdown(socket.SHUT_WR)


def check_recovery(flight, most, kept, growth):
    """A sender that loses and repairs: more in flight than `most` segments at times, what it keeps after a loss and by what it grows between these."""
    with timed():
        assert flight.again > 0 and flight.gaps > 0 and flight.most > most
        assert len(flight.cycles) >= 2, flight.cycles
        assert kept[0] < flight.kept() < kept[1], flight.cycles
        assert growth[0] < flight.median("growth") < growth[1], flight.cycles


def test_a_guest_by_itself_has_its_own_rules_on_both_legs(tmp_path):
    """What the next test has to differ from, and that what judges it sees what a kernel does."""
    guest, network, _ = captured(SHORT, None, RENO, tmp_path)
    for flight in (guest, network):
        check_recovery(flight, most=40, kept=(0.4, 0.62), growth=(0.6, 1.4))


def test_the_guests_leg_obeys_the_guest_and_the_networks_leg_obeys_policy(tmp_path):
    guest, network, speed = captured(LONG, "congestionAlgorithm=newReno keepFactor=768 additiveIncrease=4096", FEW, tmp_path)
    # The guest never sends more than its kernel wants to, is told of no loss and sends nothing again.
    assert guest.most <= 8 and guest.gaps == 0
    with timed():
        assert guest.again == 0
        # The network sees three quarters kept after a loss, and a window that grows by four segments a round trip.
        assert network.most > 100 and network.again > 0 and len(network.cycles) >= 2, network.cycles
        assert 0.69 < network.kept() < 0.81, network.cycles
        assert 3.2 < network.median("growth") < 4.8, network.cycles
        # 8 segments a round trip of 60 ms would be 190 KB/s.
        assert speed > 1.5e6


def test_another_policy_shows_on_the_networks_leg_only(tmp_path):
    guest, network, _ = captured(SHORT, "congestionAlgorithm=newReno keepFactor=512 additiveIncrease=2048", FEW, tmp_path)
    assert guest.most <= 8 and guest.gaps == 0
    with timed():
        assert guest.again == 0
        assert len(network.cycles) >= 2, network.cycles
        assert 0.44 < network.kept() < 0.57, network.cycles
        assert 1.6 < network.median("growth") < 2.4, network.cycles


def test_a_guest_that_is_ruled_sends_as_policy_says_and_repairs_its_losses(tmp_path):
    """Mode limit: the smaller of two windows rules, so policy's is the slower one. CUBIC keeps seven tenths."""
    rules = "congestionAlgorithm=newReno keepFactor=512 additiveIncrease=512"
    with statistics_file() as path:
        guest, network, speed = captured(SHORT, rules, CUBIC, tmp_path, mode="limit", more=[f"--stats-file={path}"])
    # Nothing is sent, nor kept from the guest, by anybody but the ends.
    assert guest.again == network.again
    for flight in (guest, network):
        check_recovery(flight, most=30, kept=(0.4, 0.6), growth=(0.3, 0.7))
    with timed():
        assert speed > 0.75e6


def test_a_guest_by_itself_keeps_more_and_grows_otherwise(tmp_path):
    """What the test before has to differ from."""
    guest, _, _ = captured(SHORT, None, CUBIC, tmp_path)
    with timed():
        assert len(guest.cycles) >= 2, guest.cycles
        assert guest.kept() > 0.62, guest.cycles
