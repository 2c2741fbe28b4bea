# SPDX-License-Identifier: Apache-2.0
"""Drivers and devices other than the usual: the legacy interface, a newer kernel, an announced MTU, small rings, a large transfer."""

import pytest
from conftest import on_tap
from vtcpbed import Direction, Transfer, iperf3, ping
from vtcpbed.traffic import MEBIBYTE


def check_traffic(guest, size=16 * MEBIBYTE):
    assert ping(guest) == 3, "pings were lost"
    for direction in Direction:
        Transfer(guest, direction, size).finish()


@pytest.mark.parametrize("qemu", ["10", "7.2"])
def test_the_legacy_driver_works(start_machine, qemu):
    machine = start_machine(qemu=qemu, legacy=True)
    features = machine.guest.sh("cat /sys/bus/virtio/devices/*/features | grep -n .")
    # VIRTIO_F_VERSION_1 is bit 32: the agent's console has it, a legacy NIC has not.
    assert any(line.split(":")[1][32] == "0" for line in features.split()), f"no device is a legacy one:\n{features}"
    check_traffic(machine.guest)


@pytest.mark.parametrize("packed", [False, True], ids=["split", "packed"])
def test_a_newer_kernel_works(start_machine, packed):
    machine = start_machine(kernel="6.12", packed=packed)
    check_traffic(machine.guest)
    for direction in Direction:
        assert iperf3(machine.guest, direction, seconds=1).bits_per_second > 50e6


@pytest.mark.parametrize("packed", [False, True], ids=["split", "packed"])
def test_256_mebibytes_arrive_unchanged_each_way(start_machine, packed):
    machine = start_machine(packed=packed)
    Transfer(machine.guest, Direction.TRANSMIT, 256 * MEBIBYTE).finish()
    Transfer(machine.guest, Direction.RECEIVE, 256 * MEBIBYTE, slowly=True).finish()


def test_the_guest_learns_the_mtu_from_the_device(start_machine):
    options = {} if on_tap else {"nic_options": ["--mtu=9000"]}
    machine = start_machine(mtu=9000, properties="host_mtu=9000", **options)
    mtu = int(machine.guest.sh("cat /sys/class/net/eth0/mtu"))
    assert mtu == 9000, f"the guest's MTU is {mtu}"
    check_traffic(machine.guest)


@pytest.mark.parametrize("mergeable", ["on", "off"])
@pytest.mark.parametrize("size", [256, 1024])
def test_rings_of_other_sizes_and_buffers_that_are_not_merged_work(start_machine, mergeable, size):
    # QEMU's own back-end has no longer transmit ring than 256; a vhost-user one has.
    transmit = 256 if on_tap else size
    properties = f"mrg_rxbuf={mergeable},rx_queue_size={size},tx_queue_size={transmit}"
    machine = start_machine(properties=properties)
    rings = machine.guest.sh("ethtool -g eth0")
    assert rings.count(str(size)) >= 2, f"the guest's rings are not of {size} descriptors:\n{rings}"
    check_traffic(machine.guest, 16 * MEBIBYTE)


@pytest.mark.parametrize("packed", [False, True], ids=["split", "packed"])
def test_changing_the_ring_sizes_does_no_harm(start_machine, packed):
    # QEMU tells a vhost-user back-end nothing of it: a guest that may do it loses its network (decision 0012).
    machine = start_machine(packed=packed)
    status, said = machine.guest.run("ethtool -G eth0 rx 128 tx 128")
    assert on_tap or status != 0, f"the guest has changed its rings behind the back-end's back:\n{said}"
    check_traffic(machine.guest, 16 * MEBIBYTE)


@pytest.mark.parametrize("off", ["event_idx=off", "indirect_desc=off", "guest_tso4=off,guest_tso6=off,guest_ecn=off,guest_ufo=off",
                                 "csum=off,guest_csum=off,gso=off"])
def test_the_guest_can_do_without_a_feature(start_machine, off):
    machine = start_machine(properties=off)
    check_traffic(machine.guest, 16 * MEBIBYTE)
