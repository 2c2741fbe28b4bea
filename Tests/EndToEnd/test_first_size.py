# SPDX-License-Identifier: Apache-2.0
"""Guests that hand over TCP packets of more than 64 KiB: the first size of multi-stage large send offload (docs/large-send.md)."""

import contextlib
import os
import re
import time

import pytest
from conftest import started_machine
from test_control import Control
from vtcpbed import Direction, Transfer
from vtcpbed.lateness import timed
from vtcpbed.migration import Bridge
from vtcpbed.process import wait_until
from vtcpbed.traffic import MEBIBYTE

pytestmark = pytest.mark.nic

PARAMETER = "/sys/module/vtcp_lso/parameters/first_size"
LARGEST = 524280


@contextlib.contextmanager
def started(size=LARGEST, kernel="6.12", **options):
    with started_machine(kernel=kernel, large_send=size, memory=512, **options) as machine:
        # Half a megabyte has to fit into the sender's buffer several times.
        machine.guest.sh("echo 4096 8388608 16777216 >/proc/sys/net/ipv4/tcp_wmem")
        machine.network.sysctl("net.ipv4.tcp_rmem=4096 8388608 16777216")
        yield machine


def announced(guest):
    """What the guest's card says: the most, and for IPv6."""
    words = guest.sh("ip -d link show eth0").split()
    sizes = {name: int(value) for name, value in zip(words, words[1:]) if name in ("gso_max_size", "gso_ipv4_max_size", "tso_max_size")}
    return sizes["tso_max_size"], sizes["gso_max_size"]


def packets_per_mebibyte(machine, family):
    """Of a stream of the guest's: packets that crossed the ring, and pieces of each that was split."""
    queue = 1

    def counters():
        row = machine.nic.counters()[queue]
        return [row.get(name, 0) for name in ("frames", "bytes", "splitFrames", "splitPieces")]

    before = counters()
    server = machine.network.start("iperf3", ["iperf3", "-s", "-1"])
    time.sleep(0.3)
    machine.guest.sh(f"iperf3 -c {machine.network.addresses.host(family)} -t 2 -l 1M", 60)
    server.stop()
    frames, octets, split, pieces = (after - sooner for after, sooner in zip(counters(), before))
    return (frames - pieces + split) * MEBIBYTE / octets, pieces / max(split, 1)


OFF, EARLY = (), ("--vtcp=early,always",)


# All combinations with VTCP_LONG.
@pytest.mark.parametrize("uplink, options", [("tap", EARLY), ("packet", OFF), *([("tap", OFF), ("packet", EARLY)] if os.environ.get("VTCP_LONG") else [])])
def test_packets_of_half_a_mebibyte_arrive_unchanged(uplink, options):
    with started(uplink=uplink, nic_options=options) as machine:
        assert announced(machine.guest) == (LARGEST, LARGEST)
        for family in (4, 6):
            Transfer(machine.guest, Direction.TRANSMIT, 128 * MEBIBYTE, family).finish()
            both = [Transfer(machine.guest, direction, 32 * MEBIBYTE, family) for direction in Direction]
            for transfer in both:
                transfer.finish()
        row = machine.nic.counters()[1]
        assert row.get("splitFrames", 0) > 100 and row.get("splitRefused", 0) == row.get("badOffload", 0) == row.get("badLength", 0) == 0, row
        assert row.get("softwareSegments", 0) == 0, row


@pytest.mark.by_the_clock
@pytest.mark.parametrize("packed", [False, True], ids=["split", "packed"])
def test_fewer_packets_cross_the_ring_the_larger_they_may_be(packed):
    with started(65536, packed=packed) as machine:
        for family in (4, 6):
            seen = {}
            for size in (65536, 262144, LARGEST):
                machine.guest.sh(f"echo {size} >{PARAMETER}")
                assert announced(machine.guest) == (size, size)
                seen[size] = packets_per_mebibyte(machine, family)
            # None is larger than 64 KiB, so a MiB takes sixteen or so, whatever the guest does.
            assert seen[65536][0] > 14 and seen[65536][1] == 0, seen
            # 4.0 and 7.8 where the guest has time (docs/performance.md); one that is late fills its packets less.
            with timed():
                assert seen[65536][0] > 3 * seen[262144][0] and seen[65536][0] > 5 * seen[LARGEST][0], seen


def test_a_size_that_falls_during_a_transfer_loses_nothing():
    with started() as machine:
        transfer = Transfer(machine.guest, Direction.TRANSMIT, 384 * MEBIBYTE)
        for size in (262144, 65536, 16384, LARGEST, 4096, 65536):
            time.sleep(0.3)
            machine.guest.sh(f"echo {size} >{PARAMETER}")
        transfer.finish()
        assert packets_per_mebibyte(machine, 4)[1] == 0, "connections that begin afterwards keep to it"


def test_sizes_that_can_not_be_are_refused_and_a_guest_without_the_module_is_as_before():
    with started(262144) as machine:
        for size in ("0", "4095", "524281", "4294967296", "much"):
            status, _ = machine.guest.run(f"echo {size} >{PARAMETER}")
            assert status != 0, size
        assert announced(machine.guest) == (262144, 262144)
        # What the driver's card is after it has been unbound and bound again.
        machine.guest.reload_driver()
        assert announced(machine.guest) == (262144, 262144)
        machine.guest.sh("rmmod vtcp_lso")
        assert announced(machine.guest) == (65536, 65536)
        assert packets_per_mebibyte(machine, 4)[1] == 0
        Transfer(machine.guest, Direction.TRANSMIT, 32 * MEBIBYTE).finish()


def test_linux_6_1_hands_over_large_packets_of_ipv6_only():
    with started(262144, kernel="6.1") as machine:
        assert packets_per_mebibyte(machine, 6)[1] > 1
        assert packets_per_mebibyte(machine, 4)[1] == 0
        Transfer(machine.guest, Direction.TRANSMIT, 64 * MEBIBYTE, 6).finish()


# What a card is told of IPv4 and IPv6 for 64, 256 and 512 KiB with an uplink that takes 64 KiB: a whole number of 45 segments, and almost one more.
TOLD = {65536: (65536, 65536), 262144: (262087, 258467), LARGEST: (522727, 515507)}


def wait_announced(guest, sizes):
    wait_until(lambda: announced(guest) == sizes, 5, f"the card to have {sizes}")


@contextlib.contextmanager
def listening(tmp_path, size, **options):
    """A NIC that tells its guest this size, and a guest that asks."""
    control = Control(tmp_path)
    with started(None, nic_options=(f"--large-send={size}", control.option), **options) as machine:
        machine.control = control
        machine.guest.sh("modprobe vtcp_lso")
        yield machine


def test_a_card_goes_by_what_its_nic_says_also_while_connections_run(tmp_path):
    with listening(tmp_path, "256KiB") as machine:
        wait_announced(machine.guest, TOLD[262144])
        told = machine.control.told()
        assert (told["largeSendIPv4"], told["largeSendTakenIPv4"], told["largeSendTakenIPv6"]) == ("262087", "262087", "258467")
        assert "4 times what tap:tap0 takes in one piece" in machine.nic.process.log()
        server = machine.network.start("iperf3", ["iperf3", "-s", "-1"])
        time.sleep(0.3)
        machine.guest.start(f"iperf3 -c {machine.network.addresses.host(4)} -t 60 -l 1M", "/tmp/iperf3.log")

        wait_until(lambda: machine.nic.counters()[1].get("splitFrames", 0) > 100, 20, "the connection to run")

        def pieces_of_each():
            """Of those packets of the running connection that were split in half a second; none: 0."""
            before = machine.nic.counters()[1]
            time.sleep(0.5)
            after = machine.nic.counters()[1]
            split, pieces = (after.get(name, 0) - before.get(name, 0) for name in ("splitFrames", "splitPieces"))
            return pieces / split if split else 0

        for size, least, most in ((LARGEST, 4.1, 8), (65536, 0, 0), (262144, 2, 4)):
            assert machine.control.run(f"--set-large-send={size}").returncode == 0
            wait_announced(machine.guest, TOLD[size])
            # What was handed over before is on its way yet, and a guest that is late fills its packets less.
            wait_until(lambda: least <= pieces_of_each() <= most, 15, f"packets of {size} bytes")
        server.stop()
        assert machine.nic.counters()[1]["firstSizeMessages"] >= 5
        assert machine.control.run("--set-large-send=off").returncode == 0
        wait_announced(machine.guest, TOLD[65536])
        for wrong in ("0", "4095", "much", "513KiB"):
            done = machine.control.run(f"--set-large-send={wrong}")
            assert done.returncode == 2 and "off, cpu, throughput, latency, mix, or a size from 4096" in done.stderr, done
        said = machine.control.ask(b"policy 3\n")
        assert said.startswith("error\n") and "accelerates no connections" in said


def test_the_size_is_found_for_what_an_administrator_asks_on_the_same_load(tmp_path):
    with listening(tmp_path, "cpu") as machine:
        # Larger is better but for caches, so it begins with the most.
        wait_announced(machine.guest, TOLD[LARGEST])
        server = machine.network.start("iperf3", ["iperf3", "-s", "-1"])
        time.sleep(0.3)
        machine.guest.start(f"iperf3 -c {machine.network.addresses.host(4)} -t 120 -l 1M", "/tmp/iperf3.log")

        def verdicts(objective):
            return re.findall(rf"large sends \({objective}\): (.*us of processor per MiB.*)", machine.nic.process.log())

        wait_until(lambda: verdicts("cpu"), 40, "a trial to end")
        found = int(machine.control.told()["largeSendMultiple"])
        assert found >= 4, verdicts("cpu")
        # What it begins with, not with what another objective has found.
        for setting in ("off", "latency"):
            assert machine.control.run(f"--set-large-send={setting}").returncode == 0
        wait_announced(machine.guest, TOLD[65536])
        wait_until(lambda: verdicts("latency"), 60, "a trial to end")
        assert int(machine.control.told()["largeSendMultiple"]) < found, verdicts("latency")
        assert re.search(r"held \d+ -> \d+ us, packets of \d+ -> \d+ kB", verdicts("latency")[0]), verdicts("latency")
        server.stop()


def test_an_uplink_that_takes_less_makes_it_another_multiple(tmp_path):
    with listening(tmp_path, "256KiB") as machine:
        wait_announced(machine.guest, TOLD[262144])
        machine.network.ip("link", "set", machine.tap, "gso_max_size", 16384)
        # 11 segments; limits are read when there is something to do.
        time.sleep(1)
        machine.guest.run("ping -c 1 -W 1 192.0.2.1")
        wait_announced(machine.guest, (16 * 11 * 1448 + 1447, 16 * 11 * 1428 + 1427))
        Transfer(machine.guest, Direction.TRANSMIT, 128 * MEBIBYTE).finish()
        machine.guest.reload_driver()
        wait_announced(machine.guest, (16 * 11 * 1448 + 1447, 16 * 11 * 1428 + 1427))


def test_a_guest_that_has_moved_goes_by_its_new_hosts_size():
    with Bridge(nic_options=(["--large-send=512KiB"], ["--large-send=128KiB"])) as bridge:
        guest = bridge.boot()
        guest.sh("modprobe vtcp_lso")
        wait_announced(guest, TOLD[LARGEST])
        transfer = Transfer(guest, Direction.TRANSMIT, 96 * MEBIBYTE, slowly=True)
        bridge.move()
        wait_announced(bridge.guest, (2 * 45 * 1448 + 1447, 2 * 45 * 1428 + 1427))
        transfer.guest = bridge.guest
        transfer.finish()
