# SPDX-License-Identifier: Apache-2.0
"""What the NIC costs its host: nothing while idle, little memory, no waiting."""

import signal
import time

import pytest
from conftest import started_machine
from vtcpbed import NIC, Direction, Network, image, iperf3, ping
from vtcpbed.traffic import start_iperf3

pytestmark = pytest.mark.nic

release = pytest.mark.skipif("release" not in str(image.nic_or_none()), reason="about an optimised build")


@pytest.fixture(scope="module")
def machine():
    with started_machine(memory=1024) as machine:
        yield machine


def test_an_idle_nic_does_not_wake_up(machine):
    assert ping(machine.guest) == 3
    # The host's own stack sends now and then what a new interface sends (MLD, router solicitations): that must be over.
    best = None
    for _ in range(6):
        before = machine.nic.process.context_switches(), machine.network.counters(machine.tap)
        time.sleep(3)
        after = machine.nic.process.context_switches(), machine.network.counters(machine.tap)
        packets = sum(after[1][way]["packets"] - before[1][way]["packets"] for way in ("rx", "tx"))
        if packets == 0:
            best = after[0] - before[0]
            break
    assert best is not None, "the guest was never idle for 3 s"
    assert best == 0, f"the NIC ran {best} times in 3 s without a packet"


def test_a_nic_between_bursts_goes_back_to_sleep(machine):
    for _ in range(3):
        iperf3(machine.guest, Direction.TRANSMIT, seconds=1)
        time.sleep(0.5)
        before = machine.nic.process.cpu_seconds()
        time.sleep(1)
        used = machine.nic.process.cpu_seconds() - before
        assert used <= 0.02, f"the NIC used {used:.2f} s of CPU in an idle second after a burst"


def test_the_monitor_answers_at_once_under_full_traffic(machine):
    machine.guest.qmp("query-status")
    load = start_iperf3(machine.guest, Direction.TRANSMIT, seconds=20, flows=4, both=True)
    slowest = 0
    try:
        for _ in range(30):
            time.sleep(0.05)
            started = time.monotonic()
            machine.guest.qmp("query-status")
            slowest = max(slowest, time.monotonic() - started)
    finally:
        load.stop(signal.SIGKILL)
    assert slowest < 0.2, f"QEMU's monitor took {slowest * 1000:.0f} ms"


def test_the_counters_can_be_read_under_full_traffic(machine):
    load = start_iperf3(machine.guest, Direction.TRANSMIT, seconds=20, flows=4, both=True)
    try:
        time.sleep(0.5)
        first = machine.nic.counters()
        time.sleep(0.5)
        second = machine.nic.counters()
    finally:
        load.stop(signal.SIGKILL)
    assert first and second, "SIGUSR1 logged no counters"
    assert sum(map(sum, (row.values() for row in second))) > sum(map(sum, (row.values() for row in first))), "no counter moved"


@release
def test_the_nic_needs_little_memory_of_its_own(machine):
    iperf3(machine.guest, Direction.TRANSMIT, seconds=1, flows=4)
    iperf3(machine.guest, Direction.RECEIVE, seconds=1, flows=4)
    memory = machine.nic.process.memory()
    own = memory["RssAnon"] + memory["RssFile"]
    assert own < 16 << 20, f"{own >> 10} KiB are resident besides the guest's memory: {memory}"


@release
def test_the_nic_listens_at_once():
    with Network() as network:
        tap = network.add_tap()
        times = []
        for _ in range(10):
            nic = NIC(network, f"tap:{tap}", wait=False)
            times.append(nic.wait_listening())
            nic.close()
    assert min(times) < 0.02, f"from exec to a listening socket {min(times) * 1000:.1f} ms at best"
