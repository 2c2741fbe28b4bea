# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the end-to-end tests: guests of real QEMUs on vtcp-nic.

VTCP_BED=tap runs the tests that are about traffic on QEMU's own TAP back-end instead: what fails there as well is no fault of vtcp-nic.
"""

import contextlib
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "qemu"))

from vtcpbed import NIC, Guest, Network, TapDevice, stop_everything  # noqa: E402
from vtcpbed.lateness import judged_by_the_clock  # noqa: E402
from vtcpbed.process import install_signal_handlers  # noqa: E402

on_tap = os.environ.get("VTCP_BED") == "tap"


def pytest_configure(config):
    config.addinivalue_line("markers", "nic: needs vtcp-nic, so that it makes no sense on QEMU's own TAP back-end")
    config.addinivalue_line("markers", "by_the_clock: is run again if what it asserts within timed() fails on a machine whose processors are busy with others' work, and skipped if they stay so")
    install_signal_handlers()


def pytest_collection_modifyitems(items):
    for item in items:
        if on_tap and item.get_closest_marker("nic"):
            item.add_marker(pytest.mark.skip(reason="about vtcp-nic, and this run is about QEMU's TAP"))


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    if pyfuncitem.get_closest_marker("by_the_clock") is None:
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    if late := judged_by_the_clock(lambda: pyfuncitem.obj(**arguments)):
        pytest.skip(late)
    return True


def pytest_unconfigure():
    stop_everything()


class Machine:
    """A guest, its network, and the back-end between them."""

    def __init__(self, network, guest, nic, tap, queues):
        self.network = network
        self.guest = guest
        self.nic = nic
        self.tap = tap
        self.queues = queues

    def assert_healthy(self):
        """The back-end still runs, and QEMU has not given up on it."""
        if self.nic is not None:
            assert not self.nic.process.ended(), f"vtcp-nic has ended\n{self.nic.process.log_tail()}"
        log = self.guest.process.log()
        nic_log = self.nic.process.log_tail() if self.nic is not None else ""
        assert "falling back on userspace virtio" not in log, f"QEMU refused the back-end:\n{log}\n{nic_log}"
        assert not self.guest.process.ended(), f"QEMU has ended\n{self.guest.process.log_tail()}"


@contextlib.contextmanager
def started_machine(
    qemu="10", queues=1, mtu=1500, uplink="tap", connect=False, state=False, kept=False, nic_options=(), **guest_options
):
    """A network, vtcp-nic and a booted guest; at the end the NIC must still run, and must end with status 0 at SIGTERM."""
    with Network() as network, contextlib.ExitStack() as stack:
        if uplink == "tap":
            device = network.add_tap(queues=queues, mtu=mtu)
        else:
            device = network.add_veth(mtu=mtu)
        nic = None
        if on_tap:
            netdev = TapDevice(device, queues)
        else:
            nic = NIC(network, f"{uplink}:{device}", queues, connect=connect, state=state, kept=kept, options=nic_options)
            stack.callback(nic.close)
            netdev = nic.device()
        machine = Machine(network, Guest(network, netdev, qemu=qemu, wait=False, **guest_options), nic, device, queues)
        # Not the guest of now: a test may put another one in its place.
        stack.callback(lambda: machine.guest.stop())
        machine.guest.wait_ready()
        yield machine
        machine.assert_healthy()
        machine.guest.stop()
        if nic is not None:
            status = nic.stop()
            assert status == 0, f"vtcp-nic ended with {status} at SIGTERM\n{nic.process.log_tail()}"


@pytest.fixture
def start_machine():
    """`started_machine` for tests that need one of their own."""
    with contextlib.ExitStack() as stack:
        yield lambda **options: stack.enter_context(started_machine(**options))
