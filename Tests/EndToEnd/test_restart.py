# SPDX-License-Identifier: Apache-2.0
"""The back-end dies, comes late, or is stopped: the guest and its connections do not care."""

import os
import signal
import socket
import time

import pytest
from vtcpbed import NIC, BedError, Direction, Guest, Network, Transfer, ping
from vtcpbed.process import wait_until
from vtcpbed.traffic import MEBIBYTE, start_iperf3

pytestmark = pytest.mark.nic

LONG = bool(os.environ.get("VTCP_LONG"))
# Both with VTCP_LONG; what is not told apart by them is tried with the older one.
qemus = pytest.mark.parametrize("qemu", ["10", "7.2"] if LONG else ["7.2"])
# A split ring tells a new back-end where the old one was; a packed ring does not, which takes the state that a supervisor holds.
RINGS = {"split": (False, False), "split-state": (False, True), "packed-state": (True, True)}
rings = pytest.mark.parametrize("packed, state", [pytest.param(*ring, id=name) for name, ring in RINGS.items() if name != "split-state" or LONG])
# Of the older QEMU its default; all with VTCP_LONG.
QEMUS_AND_RINGS = {f"10-{name}": ("10", *ring) for name, ring in RINGS.items()}
QEMUS_AND_RINGS |= {f"7.2-{name}": ("7.2", *ring) for name, ring in RINGS.items() if name == "split" or LONG}


def wait_for_traffic(guest, seconds=20):
    """Waits until pings are answered again, and returns how long that took."""
    started = time.monotonic()
    address = guest.network.addresses.host()
    guest.sh(f"for i in $(seq {seconds * 5}); do ping -c 1 -W 1 {address} >/dev/null && exit 0; sleep 0.05; done; exit 1", seconds * 7)
    return time.monotonic() - started


def kill_under_load(machine, times=3):
    """Kills the NIC while a file is on its way in each direction; both must arrive unchanged, over the connections they began with."""
    transfers = [
        Transfer(machine.guest, Direction.TRANSMIT, 256 * MEBIBYTE),
        Transfer(machine.guest, Direction.RECEIVE, 24 * MEBIBYTE, slowly=True),
    ]
    killed = 0
    try:
        for _ in range(times):
            goals = [transfer.progress() + 4 * MEBIBYTE for transfer in transfers]

            def moved():
                return all(t.progress() > goal or not t.running() for t, goal in zip(transfers, goals))

            try:
                wait_until(moved, 60, "both transfers go on")
            except BedError as error:
                states = [f"{t.direction}: {t.progress()} bytes, goal {goal}, running {t.running()}" for t, goal in zip(transfers, goals)]
                raise BedError("\n".join([str(error), f"killed {killed} times", *states, str(machine.nic.counters())])) from None
            killed += any(transfer.running() for transfer in transfers)
            machine.nic.restart()
        for transfer in transfers:
            transfer.finish()
    finally:
        for transfer in transfers:
            transfer.cancel()
    assert killed >= 2, "the transfers were over before the NIC was killed twice: the test shows nothing"
    machine.assert_healthy()


@pytest.mark.parametrize("qemu, packed, state", QEMUS_AND_RINGS.values(), ids=QEMUS_AND_RINGS)
def test_transfers_outlive_a_killed_nic(start_machine, qemu, packed, state):
    kill_under_load(start_machine(qemu=qemu, packed=packed, state=state))


@rings
def test_transfers_outlive_a_killed_nic_that_connects(start_machine, packed, state):
    kill_under_load(start_machine(packed=packed, state=state, connect=True))


def test_transfers_outlive_a_killed_nic_with_four_queue_pairs(start_machine):
    machine = start_machine(queues=4)
    machine.guest.sh("ethtool -L eth0 combined 4")
    kill_under_load(machine)


@pytest.mark.parametrize("packed", [False, True], ids=["split", "packed"])
def test_what_was_acknowledged_early_outlives_a_killed_nic(start_machine, packed):
    kill_under_load(start_machine(packed=packed, state=True, nic_options=["--vtcp=early,always"]))


@pytest.mark.parametrize("packed", [False, True], ids=["split", "packed"])
def test_a_driver_reloaded_under_load_leaves_nothing_that_is_owned(start_machine, packed):
    machine = start_machine(packed=packed, nic_options=["--vtcp=early,always"])
    for _ in range(3):
        load = start_iperf3(machine.guest, Direction.TRANSMIT, seconds=30, both=True)
        time.sleep(0.7)
        machine.guest.reload_driver()
        load.stop(signal.SIGKILL)
        for direction in Direction:
            Transfer(machine.guest, direction, 16 * MEBIBYTE).finish()
    machine.assert_healthy()


@qemus
def test_what_qemu_drops_while_no_nic_is_there_does_not_stop_a_packed_ring(start_machine, qemu):
    # QEMU gives back what the guest wants to transmit then, from where it believes that we stopped: in each odd lap, from the first
    # descriptor on. So the ring is to be nearly full when we end.
    machine = start_machine(qemu=qemu, packed=True, state=True)
    address = machine.network.addresses.host()
    for _ in range(6):
        machine.nic.process.send(signal.SIGSTOP)
        # Nearly as many as the ring takes, of several sockets, since one may not have so many on their way.
        send = f"yes x | head -n 60 | socat -u -b 2 STDIN UDP4-DATAGRAM:{address}:9"
        machine.guest.sh(f"for i in 1 2 3 4; do {send} & done; wait", 20)
        machine.nic.restart()
        wait_for_traffic(machine.guest)
    for direction in Direction:
        Transfer(machine.guest, direction, 16 * MEBIBYTE).finish()
    machine.assert_healthy()


@qemus
def test_an_idle_guest_does_not_notice_that_the_nic_was_killed(start_machine, qemu):
    machine = start_machine(qemu=qemu)
    assert ping(machine.guest) == 3
    for _ in range(5):
        machine.nic.restart()
        wait_for_traffic(machine.guest)
    for direction in Direction:
        Transfer(machine.guest, direction, 16 * MEBIBYTE).finish()


@pytest.mark.parametrize("qemu, connect", [("10", True), ("7.2", False), *([("10", False), ("7.2", True)] if LONG else [])])
def test_a_nic_that_starts_after_qemu_is_used(qemu, connect):
    with Network() as network:
        tap = network.add_tap()
        nic = NIC(network, f"tap:{tap}", connect=connect)
        device = nic.device()
        nic.kill()
        with Guest(network, device, qemu=qemu, wait=False) as guest:
            time.sleep(1)
            assert not guest.process.ended(), f"QEMU did not wait\n{guest.process.log_tail()}"
            with nic:
                nic.start()
                guest.wait_ready()
                assert ping(guest) == 3, "pings were lost"
                Transfer(guest, Direction.TRANSMIT, 16 * MEBIBYTE).finish()


@qemus
def test_a_qemu_that_listens_is_found(start_machine, qemu):
    machine = start_machine(qemu=qemu, connect=True)
    assert ping(machine.guest) == 3
    for direction in Direction:
        Transfer(machine.guest, direction, 16 * MEBIBYTE).finish()


def test_a_new_guest_can_use_the_nic_of_one_that_was_killed(start_machine):
    machine = start_machine()
    load = start_iperf3(machine.guest, Direction.TRANSMIT, seconds=30, both=True)
    time.sleep(0.5)
    machine.guest.kill()
    load.stop(signal.SIGKILL)
    machine.guest = Guest(machine.network, machine.nic.device(), packed=True)
    assert ping(machine.guest) == 3, "pings of the second guest were lost"
    for direction in Direction:
        Transfer(machine.guest, direction, 16 * MEBIBYTE).finish()


def test_a_stopped_qemu_does_not_stop_the_nic(start_machine):
    machine = start_machine()
    load = start_iperf3(machine.guest, Direction.RECEIVE, seconds=30)
    time.sleep(0.5)
    machine.guest.process.send(signal.SIGSTOP)
    try:
        time.sleep(0.3)
        before = machine.nic.process.cpu_seconds()
        machine.nic.counters()
        time.sleep(1)
        used = machine.nic.process.cpu_seconds() - before
    finally:
        machine.guest.process.send(signal.SIGCONT)
        load.stop(signal.SIGKILL)
    assert used < 0.2, f"the NIC used {used:.2f} s of CPU in a second in which its guest was stopped"
    wait_for_traffic(machine.guest)


def test_a_second_front_end_and_half_a_message_do_no_harm(start_machine):
    machine = start_machine()
    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.settimeout(2)
        try:
            stranger.connect(machine.nic.socket)
            stranger.sendall(b"\x01\x00\x00\x00\x01\x00")
        except OSError:
            pass  # Refusing it is as good as letting it wait.
        assert ping(machine.guest) == 3, "a stranger on the socket stopped the traffic"
        machine.nic.counters()
    assert ping(machine.guest) == 3
    machine.assert_healthy()


def test_a_vm_can_be_paused_and_reset(start_machine):
    machine = start_machine()
    for _ in range(3):
        machine.guest.qmp("stop")
        machine.guest.qmp("cont")
        assert ping(machine.guest) == 3, "pings were lost after stop and cont"
    load = start_iperf3(machine.guest, Direction.TRANSMIT, seconds=20, both=True)
    try:
        for _ in range(5):
            time.sleep(0.3)
            machine.guest.qmp("stop")
            machine.guest.qmp("cont")
    finally:
        load.stop(signal.SIGKILL)
    for direction in Direction:
        Transfer(machine.guest, direction, 16 * MEBIBYTE).finish()


def test_the_nic_says_in_one_line_why_it_cannot_start():
    with Network() as network:
        with pytest.raises(BedError) as failure:
            NIC(network, "tap:lo")
        assert "status" in str(failure.value)
        log = open(f"{network.folder}/nic.log").read().strip()
        assert "lo" in log, f"the reason does not name the interface: {log}"
        assert "Fatal error" not in log and "Stack dump" not in log, f"the NIC crashed:\n{log}"
