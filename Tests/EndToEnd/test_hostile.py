# SPDX-License-Identifier: Apache-2.0
"""A hostile guest on a real QEMU: its rings are spoiled in its own memory while it runs. The queue stops, others go on, a driver reset helps."""

import contextlib
import mmap
import os
import struct

import pytest
from vtcpbed import Direction, Transfer, ping
from vtcpbed.process import BedError, wait_until
from vtcpbed.traffic import MEBIBYTE

pytestmark = pytest.mark.nic

RECEIVE, TRANSMIT = 0, 1
NEXT, AVAILABLE, USED = 1, 1 << 7, 1 << 15


class GuestMemory:
    """The guest's memory, by guest address, through QEMU's descriptor of it: what the guest's kernel itself could write."""

    def __init__(self, guest):
        folder = f"/proc/{guest.process.pid}/fd"
        for name in os.listdir(folder):
            try:
                target = os.readlink(f"{folder}/{name}")
                size = os.stat(f"{folder}/{name}").st_size
            except OSError:
                continue
            if "memfd:" in target and size >= 64 * MEBIBYTE:
                with open(f"{folder}/{name}", "r+b") as file:
                    self.map = mmap.mmap(file.fileno(), size)
                return
        raise BedError("QEMU has no memory file")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.map.close()

    def ring(self, guest, index):
        """The virtqueue's three areas and its size, as QEMU told vtcp-nic."""
        device = next(d["path"] for d in guest.qmp("x-query-virtio") if d["name"] == "virtio-net")
        status = guest.qmp("x-query-virtio-vhost-queue-status", path=device, queue=index)
        return status["desc-phys"], status["avail-phys"], status["used-phys"], status["num"]

    def break_ring(self, ring, index, packed, lap):
        """Heads that are no descriptors (split), or a chain without end, available in an odd or even lap (packed)."""
        descriptors, available, _, size = ring
        if packed:
            low, high = (AVAILABLE | NEXT, 0) if lap else (NEXT, USED >> 8)
            self.map[descriptors + 14 : descriptors + 16 * size : 16] = bytes([low]) * size
            self.map[descriptors + 15 : descriptors + 16 * size : 16] = bytes([high]) * size
            return
        self.map[available + 4 : available + 4 + 2 * size] = b"\xff" * (2 * size)
        if index % 2 == TRANSMIT:
            # Mostly nothing is available there.
            (number,) = struct.unpack_from("<H", self.map, available + 2)
            struct.pack_into("<H", self.map, available + 2, (number + 1) & 0xFFFF)

    def spoil_addresses(self, ring):
        """Buffers where there is no memory: chains that come back unused."""
        descriptors, _, _, size = ring
        for number in range(size):
            place = descriptors + 16 * number
            address, rest = struct.unpack_from("<QQ", self.map, place)
            struct.pack_into("<QQ", self.map, place, address | 1 << 60, rest)


def counters(machine, queue):
    """Of that queue; queues that did nothing have no line, so they are found by their name in the log."""
    machine.nic.counters()
    lines = [line for line in machine.nic.process.log().splitlines() if f": queue {queue} " in line and "stopped" not in line]
    return dict(word.split("=") for word in lines[-1].split() if "=" in word)


def provoke(machine, memory, queue, packed):
    """Spoils the ring between two of the NIC's looks, and waits until it has met it. The vCPUs stand still meanwhile: what the driver of
    the guest were to write at the same time would make it take offence itself."""
    text = f"queue {queue} stopped: its driver broke the ring"
    before = machine.nic.process.log().count(text)
    ring = memory.ring(machine.guest, queue)
    # A receiveq is looked at when there is something to receive.
    guest = machine.network.addresses.guest()
    flood = machine.network.start("flood", ["bash", "-c", f"while sleep 0.01; do echo >/dev/udp/{guest}/9; done"])

    def broken():
        return machine.nic.process.log().count(text) > before

    try:
        for lap in (True, False, True):
            machine.guest.qmp("stop")
            memory.break_ring(ring, queue, packed, lap)
            machine.guest.qmp("cont")
            with contextlib.suppress(BedError):
                wait_until(broken, 3, f"queue {queue} stops", machine.nic.process)
                break
        assert broken(), f"queue {queue} goes on with a broken ring\n{machine.nic.process.log_tail()}"
    finally:
        flood.stop()
    assert machine.nic.process.log().count(text) == before + 1, "told more than once"


def received(guest):
    return int(guest.sh("cat /sys/class/net/eth0/statistics/rx_packets"))


def check_other_direction(machine, broken):
    """While one queue is broken the other one of the pair goes on."""
    if broken == TRANSMIT:
        before = received(machine.guest)
        guest = machine.network.addresses.guest()
        machine.network.run("bash", "-c", f"for i in 1 2 3 4 5; do echo >/dev/udp/{guest}/9; done")
        wait_until(lambda: received(machine.guest) > before, 5, "the receiveq goes on")
    else:
        before = int(counters(machine, TRANSMIT).get("frames", 0))
        machine.guest.run(f"ping -c 5 -i 0.2 -W 1 {machine.network.addresses.host()}")
        assert int(counters(machine, TRANSMIT)["frames"]) > before, "the transmitq stopped too"


@pytest.mark.parametrize("qemu", ["10", "7.2"])
@pytest.mark.parametrize("packed", [False, True], ids=["split", "packed"])
def test_a_broken_queue_stops_alone_and_a_driver_reload_brings_it_back(start_machine, qemu, packed):
    machine = start_machine(qemu=qemu, packed=packed)
    assert ping(machine.guest) == 3
    with GuestMemory(machine.guest) as memory:
        for broken in (TRANSMIT, RECEIVE, TRANSMIT):
            provoke(machine, memory, broken, packed)
            check_other_direction(machine, broken)
            if qemu == "10":
                told = f"vhost vring error in virtqueue {broken}"
                wait_until(lambda: told in machine.guest.process.log(), 5, "QEMU hears of the broken ring")
            machine.guest.reload_driver()
            assert ping(machine.guest) == 3, "the driver reload did not bring the queue back"
    assert int(counters(machine, TRANSMIT)["faults"]) == 2
    assert int(counters(machine, RECEIVE)["faults"]) == 1
    for direction in Direction:
        Transfer(machine.guest, direction, 16 * MEBIBYTE).finish()


@pytest.mark.parametrize("packed", [False, True], ids=["split", "packed"])
def test_other_queue_pairs_go_on(start_machine, packed):
    machine = start_machine(queues=2, packed=packed)
    machine.guest.sh("ethtool -L eth0 combined 2")
    host = machine.network.addresses.host()
    # Asked for over the queue that has stopped, the host's address would never be learned, and nothing be sent over the other one.
    assert ping(machine.guest) == 3
    machine.guest.sh(f"arp -s {host} $(awk '$1 == \"{host}\" {{ print $4 }}' /proc/net/arp)")
    with GuestMemory(machine.guest) as memory:
        provoke(machine, memory, TRANSMIT, packed)
        before = int(counters(machine, 3).get("frames", 0))
        # The driver gives each processor a transmitq.
        machine.guest.run(f"for processor in 0 1; do taskset -c $processor ping -c 10 -i 0.05 -W 1 {host} & done; wait")
        assert int(counters(machine, 3).get("frames", 0)) >= before + 10, "the other pair's transmitq stopped too"
        machine.guest.reload_driver()
    machine.guest.sh("ethtool -L eth0 combined 2")
    for direction in Direction:
        Transfer(machine.guest, direction, 16 * MEBIBYTE).finish()


def test_buffers_that_are_no_memory_come_back_and_the_queue_goes_on(start_machine):
    machine = start_machine()
    host = machine.network.addresses.host()
    with GuestMemory(machine.guest) as memory:
        ring = memory.ring(machine.guest, TRANSMIT)
        machine.guest.start(f"ping -i 0.01 -c 500 -W 1 {host}")

        def met():
            for _ in range(50):
                memory.spoil_addresses(ring)
            return int(counters(machine, TRANSMIT).get("unsoundChains", 0)) > 0

        wait_until(met, 20, "a chain outside of memory", machine.nic.process, interval=0)
    # The driver writes its descriptors anew for each frame: nothing has to be reset.
    wait_until(lambda: machine.guest.run(f"ping -c 1 -W 1 {host}")[0] == 0, 20, "the ping that goes through")
    assert "faults" not in counters(machine, TRANSMIT)
    Transfer(machine.guest, Direction.TRANSMIT, 16 * MEBIBYTE).finish()
