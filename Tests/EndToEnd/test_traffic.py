# SPDX-License-Identifier: Apache-2.0
"""What every user does with a NIC, on each combination of QEMU, ring format and queue count. The guest boots once per combination."""

import itertools
import os
import re
import signal
import time

import pytest
from conftest import started_machine
from vtcpbed import Direction, Transfer, iperf3, ping
from vtcpbed.traffic import MEBIBYTE, start_iperf3

# All with VTCP_LONG; else the default of each QEMU, and what differs most from it.
COMBINATIONS = [("10", "split", 1), ("10", "packed", 4), ("7.2", "split", 1)]
if os.environ.get("VTCP_LONG"):
    COMBINATIONS = list(itertools.product(["10", "7.2"], ["split", "packed"], [1, 4]))
both_directions = pytest.mark.parametrize("direction", list(Direction), ids=["transmit", "receive"])
both_families = pytest.mark.parametrize("family", [4, 6], ids=["IPv4", "IPv6"])


@pytest.fixture(scope="module", params=COMBINATIONS, ids=lambda c: f"QEMU{c[0]}-{c[1]}-{c[2]}q")
def machine(request):
    qemu, ring, queues = request.param
    with started_machine(qemu=qemu, packed=ring == "packed", queues=queues) as machine:
        if queues > 1:
            machine.guest.sh(f"ethtool -L eth0 combined {queues}")
        yield machine


@both_families
def test_the_guest_gets_an_answer_to_every_ping(machine, family):
    address = machine.network.addresses.host(family)
    assert ping(machine.guest, address, count=10, interval=0.05) == 10, f"pings to {address} were lost"


def test_pings_of_every_size_up_to_the_largest_datagram_come_back(machine):
    # Sizes around the ends of buffers: the smallest frame, the MTU, and what has to be fragmented.
    for size in (0, 1, 17, 18, 1471, 1472, 1473, 4096, 30000):
        assert ping(machine.guest, count=1, size=size) == 1, f"a ping of {size} bytes was lost"


@both_directions
@both_families
def test_iperf3_flows_nearly_without_losses(machine, direction, family):
    before = machine.network.counters(machine.tap)["tx"]
    result = iperf3(machine.guest, direction, seconds=2, flows=machine.queues, family=family)
    after = machine.network.counters(machine.tap)["tx"]
    assert result.bits_per_second > 50e6, f"{direction}: only {result}"
    lost, passed = after["dropped"] - before["dropped"], after["packets"] - before["packets"]
    assert lost <= passed / 1000, f"{direction}: the TAP's queue overran {lost} times for {passed} packets: {result}"
    if machine.queues == 1:
        # Several flows at once make a starved guest's acknowledgments so late that TCP retransmits what was not lost, on QEMU's TAP too.
        segments = result.bytes / result.segment_size
        assert result.retransmits <= max(20, segments / 100), f"{direction}: {result}: the path loses packets"


@both_directions
@both_families
def test_a_large_file_arrives_unchanged(machine, direction, family):
    Transfer(machine.guest, direction, 48 * MEBIBYTE, family).finish()


def test_files_in_both_directions_at_once_arrive_unchanged(machine):
    transfers = [Transfer(machine.guest, direction, 32 * MEBIBYTE) for direction in Direction]
    for transfer in transfers:
        transfer.finish()


def test_jumbo_frames_arrive_unchanged(machine):
    guest, network = machine.guest, machine.network
    network.ip("link", "set", machine.tap, "mtu", 9000)
    try:
        guest.configure(mtu=9000)
        before = network.counters(machine.tap)["rx"]["packets"]
        assert ping(guest, count=5, size=8972) == 5, "pings of 9000 bytes were lost"
        packets = network.counters(machine.tap)["rx"]["packets"] - before
        assert packets < 12, f"5 pings of 9000 bytes were {packets} packets: they were fragmented"
        for direction in Direction:
            Transfer(guest, direction, 16 * MEBIBYTE).finish()
        assert iperf3(guest, Direction.RECEIVE, seconds=1).segment_size > 8900
    finally:
        network.ip("link", "set", machine.tap, "mtu", 1500)
        guest.configure(mtu=1500)


def test_a_file_arrives_unchanged_when_the_guest_has_no_offloads(machine):
    guest = machine.guest
    # Not all can be changed with every driver; what cannot be is reported and left.
    guest.run("for f in tso gso tx sg gro rx; do ethtool -K eth0 $f off; done")
    try:
        features = guest.sh("ethtool -k eth0")
        for name in ("tcp-segmentation-offload", "tx-checksumming", "generic-segmentation-offload"):
            assert f"{name}: off" in features, f"the guest's {name} is still on"
        for direction in Direction:
            Transfer(guest, direction, 16 * MEBIBYTE).finish()
    finally:
        guest.run("for f in rx gro sg tx gso tso; do ethtool -K eth0 $f on; done")


def test_the_queue_count_can_change_under_traffic(machine):
    guest = machine.guest
    if machine.queues == 1:
        pytest.skip("one queue pair cannot become fewer")
    load = start_iperf3(guest, Direction.TRANSMIT, seconds=8, flows=4, both=True)
    try:
        for count in (1, 4, 2, 3, 1, 4):
            guest.sh(f"ethtool -L eth0 combined {count}")
            time.sleep(0.3)
            assert ping(guest, count=2) == 2, f"pings were lost with {count} queue pairs"
        for direction in Direction:
            Transfer(guest, direction, 16 * MEBIBYTE).finish()
    finally:
        load.stop(signal.SIGKILL)
    machine.assert_healthy()


def test_every_queue_carries_traffic(machine):
    if machine.queues == 1 or machine.nic is None:
        pytest.skip("about vtcp-nic's queues")
    iperf3(machine.guest, Direction.TRANSMIT, seconds=2, flows=16)
    iperf3(machine.guest, Direction.RECEIVE, seconds=2, flows=16)
    used = machine.guest.sh("ethtool -S eth0")
    # Only the receive side: an emulated guest has fewer processors than queue pairs, and transmits on one queue per processor.
    counts = dict(re.findall(r"(rx_queue_\d+)_packets: (\d+)", used))
    quiet = [queue for queue, count in counts.items() if count == "0"]
    assert len(counts) == machine.queues, f"not {machine.queues} receive queues:\n{used}"
    assert not quiet, f"no packets in {quiet}:\n{used}"


def test_the_driver_can_be_reloaded_under_traffic(machine):
    guest = machine.guest
    for _ in range(3):
        load = start_iperf3(guest, Direction.TRANSMIT, seconds=20, both=True)
        try:
            time.sleep(0.5)
            guest.sh("pkill iperf3; rmmod virtio_net && modprobe virtio_net")
        finally:
            load.stop(signal.SIGKILL)
        guest.configure()
        if machine.queues > 1:
            guest.sh(f"ethtool -L eth0 combined {machine.queues}")
        assert ping(guest) == 3, "pings were lost after the driver was reloaded"
    for direction in Direction:
        Transfer(guest, direction, 16 * MEBIBYTE).finish()
    machine.assert_healthy()
