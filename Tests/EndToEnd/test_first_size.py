# SPDX-License-Identifier: Apache-2.0
"""Guests that hand over TCP packets of more than 64 KiB: the first size of multi-stage large send offload (docs/large-send.md)."""

import contextlib
import time

import pytest
from conftest import started_machine
from vtcpbed import Direction, Transfer
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


def announced(machine):
    """What the guest's card says: for IPv6 and for IPv4."""
    words = machine.guest.sh("ip -d link show eth0").split()
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


@pytest.mark.parametrize("options", [(), ("--vtcp=early,always",)], ids=["off", "early"])
@pytest.mark.parametrize("uplink", ["tap", "packet"])
def test_packets_of_half_a_mebibyte_arrive_unchanged(uplink, options):
    with started(uplink=uplink, nic_options=options) as machine:
        assert announced(machine) == (LARGEST, LARGEST)
        for family in (4, 6):
            Transfer(machine.guest, Direction.TRANSMIT, 128 * MEBIBYTE, family).finish()
            both = [Transfer(machine.guest, direction, 32 * MEBIBYTE, family) for direction in Direction]
            for transfer in both:
                transfer.finish()
        row = machine.nic.counters()[1]
        assert row.get("splitFrames", 0) > 100 and row.get("splitRefused", 0) == row.get("badOffload", 0) == row.get("badLength", 0) == 0, row


@pytest.mark.parametrize("packed", [False, True], ids=["split", "packed"])
def test_fewer_packets_cross_the_ring_the_larger_they_may_be(packed):
    with started(65536, packed=packed) as machine:
        for family in (4, 6):
            seen = {}
            for size in (65536, 262144, LARGEST):
                machine.guest.sh(f"echo {size} >{PARAMETER}")
                assert announced(machine) == (size, size)
                seen[size] = packets_per_mebibyte(machine, family)
            assert seen[65536][0] > 14 and seen[65536][1] == 0, seen
            # 4.0 and 7.8 where the guest has time (docs/performance.md); one that is late fills its packets less.
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
        assert announced(machine) == (262144, 262144)
        # What the driver's card is after it has been unbound and bound again.
        machine.guest.reload_driver()
        assert announced(machine) == (262144, 262144)
        machine.guest.sh("rmmod vtcp_lso")
        assert announced(machine) == (65536, 65536)
        assert packets_per_mebibyte(machine, 4)[1] == 0
        Transfer(machine.guest, Direction.TRANSMIT, 32 * MEBIBYTE).finish()


def test_linux_6_1_hands_over_large_packets_of_ipv6_only():
    with started(262144, kernel="6.1") as machine:
        assert packets_per_mebibyte(machine, 6)[1] > 1
        assert packets_per_mebibyte(machine, 4)[1] == 0
        Transfer(machine.guest, Direction.TRANSMIT, 64 * MEBIBYTE, 6).finish()
