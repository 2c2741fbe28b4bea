# SPDX-License-Identifier: Apache-2.0
"""The back-end is killed, or gives way to its next version, and neither QEMU nor any connection notices (docs/keeping.md)."""

import itertools
import os
import random
import signal
import socket
import statistics
import struct
import time

import pytest
from vtcpbed import BedError, Direction, Transfer, ping
from vtcpbed.flows import run_flows
from vtcpbed.legs import Legs
from vtcpbed.process import inside, wait_until
from vtcpbed.traffic import MEBIBYTE

pytestmark = pytest.mark.nic

# Of the older QEMU its default; all with VTCP_LONG.
RINGS_AND_QEMUS = [
    pytest.param(packed, qemu, id=f"{'packed' if packed else 'split'}-{qemu}")
    for packed, qemu in itertools.product([False, True], ["10", "7.2"])
    if (packed, qemu) != (True, "7.2") or os.environ.get("VTCP_LONG")
]
# Of each run; a hundred with VTCP_LONG.
KILLS = 100 if os.environ.get("VTCP_LONG") else 40
_SO_TIMESTAMPNS = 35
_PACKET_OUTGOING = 4
_ETH_P_ALL = 3


class FirstFrame:
    """Tells when the next frame comes out of the NIC: a packet socket at the other end of its TAP."""

    def __init__(self, network, device):
        with inside(network.path):
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
            self._socket.bind((device, _ETH_P_ALL))
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._socket.setblocking(False)

    def _next(self):
        """The kernel's time of a frame from the NIC; None: none is here."""
        while True:
            try:
                _, data, _, address = self._socket.recvmsg(64, 256)
            except BlockingIOError:
                return None
            if address[2] != _PACKET_OUTGOING:
                seconds, nanoseconds = struct.unpack("qq", data[0][2][:16])
                return seconds + nanoseconds * 1e-9

    def after(self, moment, seconds=5):
        """Seconds from `moment` (time.time()) to the first frame behind it."""

        def found():
            while (came := self._next()) is not None:
                if came > moment:
                    return came
            return None

        return wait_until(found, seconds, "a frame of the NIC", interval=0.0005) - moment

    def close(self):
        self._socket.close()


class Undisturbed:
    """That neither QEMU nor the guest has seen anything of it."""

    def __init__(self, guest):
        self._guest = guest
        guest.qmp("query-status")
        self._changes = self._carrier()

    def _carrier(self):
        return int(self._guest.sh("cat /sys/class/net/eth0/carrier_changes"))

    def check(self, nic, times):
        self._guest.qmp("query-status")
        events = [event["event"] for event in self._guest.events]
        assert not [name for name in events if "VHOST_USER" in name or "NIC" in name], events
        assert self._carrier() == self._changes, "the guest's carrier has changed"
        log = nic.process.log()
        assert log.count("a front-end has connected") == 1, log[-3000:]
        assert log.count("goes on with the front-end's connection") == times, log[-3000:]
        assert "has to connect again" not in log


def told(name, gaps):
    ordered = sorted(gaps)
    p50, p99 = statistics.median(ordered), ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    print(f"\n{name}: {len(gaps)} times, the gap's p50 {p50 * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms, longest {ordered[-1] * 1e3:.1f} ms")


@pytest.mark.parametrize("packed", [False, True], ids=["split", "packed"])
def test_killed_a_hundred_times_under_load_and_no_connection_notices(packed):
    chance = random.Random(1)
    gaps, ready = [], []
    # Kills after which there was nothing to be sent.
    silent = 0
    with Legs("delay=10ms", 1, ["--vtcp=early,always"], guest="6.1", kept=True, packed=packed) as legs:
        undisturbed = Undisturbed(legs.guest)
        first = FirstFrame(legs.router, "nic0")

        def kill():
            nonlocal silent
            if len(gaps) == KILLS:
                return
            time.sleep(chance.uniform(0.02, 0.3))
            moment = time.time()
            legs.nic.kill()
            legs.nic.start()
            ready.append(time.time() - moment)
            try:
                gaps.append(first.after(moment))
            except BedError:
                # The last connection of a round may have ended just before.
                assert all(end.ended() for end in legs.ends), f"no frame after kill {len(gaps)}\n{legs.nic.process.log_tail()}"
                silent += 1

        rounds = 0
        try:
            while len(gaps) < KILLS:
                rounds += 1
                assert rounds < 20, f"killed {len(gaps)} times only"
                seen = run_flows(legs.ends, rounds, 120, meanwhile=kill, flows=40, max_size=4 << 20, spread=4000, abort=0)
                assert not seen["problems"], "\n".join([f"killed {len(gaps)} times", *seen["problems"], legs.nic.process.log_tail()])
        finally:
            first.close()
        undisturbed.check(legs.nic, KILLS + silent)
    told(f"kill -9, {'packed' if packed else 'split'}: first frame", gaps)
    told(f"kill -9, {'packed' if packed else 'split'}: READY=1", ready)


@pytest.mark.parametrize("packed, qemu", RINGS_AND_QEMUS)
def test_handed_over_under_load_and_no_connection_notices(qemu, packed):
    gaps = []
    with Legs("delay=10ms", 1, ["--vtcp=early,always"], guest="6.1", kept=True, packed=packed, qemu=qemu) as legs:
        undisturbed = Undisturbed(legs.guest)
        first = FirstFrame(legs.router, "nic0")

        def hand_over():
            if len(gaps) == 20:
                return
            time.sleep(0.1)
            moment = time.time()
            legs.nic.hand_over()
            gaps.append(first.after(moment))

        try:
            seen = run_flows(legs.ends, 1, 120, meanwhile=hand_over, flows=40, max_size=4 << 20, spread=4000, abort=0)
        finally:
            first.close()
        assert not seen["problems"], "\n".join([*seen["problems"][:10], legs.nic.process.log_tail()])
        assert len(gaps) >= 5
        undisturbed.check(legs.nic, len(gaps))
    told(f"handed over, {'packed' if packed else 'split'}", gaps)


def kill_under_load(machine, times):
    """Kills the NIC while a file is on its way in each direction."""
    undisturbed = Undisturbed(machine.guest)
    transfers = [Transfer(machine.guest, Direction.TRANSMIT, 256 * MEBIBYTE), Transfer(machine.guest, Direction.RECEIVE, 64 * MEBIBYTE, slowly=True)]
    killed = 0
    try:
        while killed < times and any(transfer.running() for transfer in transfers):
            time.sleep(0.2)
            machine.nic.restart()
            killed += 1
        for transfer in transfers:
            transfer.finish()
    finally:
        for transfer in transfers:
            transfer.cancel()
    assert killed >= min(times, 3), f"the transfers were over before the NIC was killed {times} times"
    undisturbed.check(machine.nic, killed)


@pytest.mark.parametrize("packed, qemu", RINGS_AND_QEMUS)
def test_a_killed_nic_is_not_missed_by_qemu(start_machine, qemu, packed):
    kill_under_load(start_machine(qemu=qemu, packed=packed, kept=True), 10)


def test_a_killed_nic_of_four_queue_pairs_is_not_missed(start_machine):
    machine = start_machine(queues=4, kept=True)
    machine.guest.sh("ethtool -L eth0 combined 4")
    kill_under_load(machine, 10)


def test_a_killed_nic_with_a_packet_socket_is_not_missed(start_machine):
    kill_under_load(start_machine(uplink="packet", kept=True), 10)


def test_a_nic_that_connects_to_qemu_is_not_missed(start_machine):
    kill_under_load(start_machine(connect=True, kept=True), 10)


@pytest.mark.parametrize("uplink", ["tap", "packet"])
def test_the_next_one_needs_no_privilege(start_machine, uplink):
    machine = start_machine(uplink=uplink, kept=True)
    undisturbed = Undisturbed(machine.guest)
    os.chmod(machine.network.folder, 0o755)
    machine.nic.prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"]
    for _ in range(3):
        machine.nic.restart()
    with open(f"/proc/{machine.nic.process.pid}/status") as status:
        assert "Uid:\t65534\t65534\t65534\t65534" in status.read()
    for direction in Direction:
        Transfer(machine.guest, direction, 16 * MEBIBYTE).finish()
    undisturbed.check(machine.nic, 3)


def test_a_guest_that_is_reset_or_reloads_its_driver_between_two_kills(start_machine):
    machine = start_machine(kept=True, packed=True)
    for _ in range(3):
        machine.nic.restart()
        machine.guest.reload_driver()
        machine.nic.restart()
        assert ping(machine.guest) == 3
    machine.guest.reset()
    machine.nic.restart()
    machine.guest.wait_ready()
    machine.nic.restart()
    assert ping(machine.guest) == 3
    assert machine.nic.process.log().count("a front-end has connected") == 1


def test_sigterm_leaves_nothing_with_the_keeper(start_machine):
    machine = start_machine(kept=True)
    assert "connection" in machine.nic.keeper.names and "state" in machine.nic.keeper.names
    machine.guest.stop()
    assert machine.nic.process.stop(signal.SIGTERM) == 0
    wait_until(lambda: not machine.nic.keeper.names, 5, f"nothing kept: {machine.nic.keeper.names}")
    assert not os.path.exists(machine.nic.socket)
    machine.nic.start()
    machine.guest = type(machine.guest)(machine.network, machine.nic.device())
    assert ping(machine.guest) == 3
