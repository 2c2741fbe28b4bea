# SPDX-License-Identifier: Apache-2.0
"""A second driver on the same device: iPXE's, from the ROM of the card, loads the guest over the network, and hands the device to Linux.

The address comes by DHCP, kernel and initramfs over HTTP. Linux shows the initramfs as iPXE has left it in memory: its digest is compared.
"""

import contextlib
import hashlib
import os

import pytest
from conftest import Machine, on_tap
from vtcpbed import NIC, BedError, Direction, Guest, Network, TapDevice, Transfer, ping
from vtcpbed.netboot import BootServer
from vtcpbed.process import wait_until
from vtcpbed.traffic import MEBIBYTE

LONG = bool(os.environ.get("VTCP_LONG"))

# The one that shows its initramfs, with the option.
KERNEL = "6.12"

MODERN = "disable-legacy=on,disable-modern=off"
TRANSPORTS = {
    "modern": {"properties": MODERN},
    "modern-packed": {"properties": MODERN, "packed": True},
    "modern-long": {"properties": f"{MODERN},rx_queue_size=1024,tx_queue_size=256"},
    "legacy": {"legacy": True},
}


@contextlib.contextmanager
def machine_without_a_disk(qemu, options):
    """A machine that has nothing to boot from but its network, just started."""
    with Network() as network, contextlib.ExitStack() as stack:
        tap = network.add_tap()
        server = stack.enter_context(BootServer(network, tap, KERNEL, "retain_initrd"))
        nic = None if on_tap else stack.enter_context(NIC(network, f"tap:{tap}"))
        device = TapDevice(tap) if on_tap else nic.device()
        guest = stack.enter_context(Guest(network, device, qemu=qemu, netboot=True, wait=False, **options))
        machine = Machine(network, guest, nic, tap, 1)
        machine.server = server
        yield machine
        machine.assert_healthy()
        guest.stop()
        if nic is not None:
            assert nic.stop() == 0, f"vtcp-nic did not end in order\n{nic.process.log_tail()}"


def features_of_ipxe(machine, boots=1):
    """What iPXE's driver has negotiated, looked up while it loads the initramfs."""
    server = machine.server
    asked = ["script", "vmlinuz", "initramfs"] * boots
    try:
        wait_until(lambda: server.requests() == asked, 60, "iPXE's request for the initramfs", machine.guest.process)
    except BedError as error:
        raise BedError(f"{error}\n{server.log_tail()}\n{machine.guest.console()}") from None
    return machine.guest.negotiated()


def check_that_linux_took_over(machine):
    guest = machine.guest
    guest.wait_ready()
    loaded = guest.sh("sha256sum </sys/firmware/initrd").split()[0]
    with open(machine.server.files.initramfs, "rb") as file:
        assert loaded == hashlib.file_digest(file, "sha256").hexdigest(), "iPXE has loaded other octets than were sent"
    assert ping(guest) == 3, "pings were lost"
    for direction in Direction:
        Transfer(guest, direction, 16 * MEBIBYTE).finish()


# Of the older QEMU its default; all with VTCP_LONG.
@pytest.mark.parametrize(
    "qemu, transport",
    [(qemu, transport) for qemu in ("10", "7.2") for transport in TRANSPORTS if qemu == "10" or transport == next(iter(TRANSPORTS)) or LONG],
)
def test_ipxe_loads_a_guest_and_hands_the_device_to_linux(qemu, transport):
    options = TRANSPORTS[transport]
    with machine_without_a_disk(qemu, options) as machine:
        features = features_of_ipxe(machine)
        assert ("VIRTIO_F_VERSION_1" in features) == (transport != "legacy"), f"iPXE has negotiated {features}"
        # It knows split rings only: with packed ones offered, the rings change their format from driver to driver.
        assert "VIRTIO_F_RING_PACKED" not in features, f"iPXE has negotiated {features}"
        check_that_linux_took_over(machine)
        assert ("VIRTIO_F_RING_PACKED" in machine.guest.negotiated()) == options.get("packed", False)


@pytest.mark.parametrize("packed", [False, True] if LONG else [True], ids=lambda packed: "packed" if packed else "split")
def test_a_machine_that_is_reset_under_load_boots_over_the_network_again(packed):
    # Linux is cut off in the middle: its rings are as they were, and frames for it still come when iPXE's driver starts.
    with machine_without_a_disk("10", {"packed": packed}) as machine:
        features_of_ipxe(machine)
        machine.guest.wait_ready()
        loads = [Transfer(machine.guest, direction, 256 * MEBIBYTE, slowly=True) for direction in Direction]
        try:
            before = [load.progress() for load in loads]
            wait_until(
                lambda: all(load.progress() > start + MEBIBYTE for load, start in zip(loads, before)), 30, "traffic both ways"
            )
            machine.guest.reset()
            features_of_ipxe(machine, boots=2)
        finally:
            for load in loads:
                load.cancel()
        check_that_linux_took_over(machine)
