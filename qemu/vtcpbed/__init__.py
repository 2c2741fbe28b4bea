# SPDX-License-Identifier: Apache-2.0
"""A test bed for vhost-user NICs: guests on real QEMUs, in a network of their own that disappears with the process that made it.

    with Network() as network:                      # an anonymous network namespace
        tap = network.add_tap(queues=1)             # the network's end of the guest's cable, with addresses
        nic = NIC(network, f"tap:{tap}")            # vtcp-nic
        guest = Guest(network, nic.device())        # QEMU; or Guest(network, TapDevice(tap))
        guest.sh("ping -c 1 10.77.0.1")

Theory of operation. Every process is a direct child that the kernel kills when this one dies, for whatever reason (PR_SET_PDEATHSIG), and the
namespace lives only in its holder process. So nothing outlives a test run, not even one ended by SIGKILL. Children may only be started from
the main thread: the kernel's promise is about the thread that started them.
"""

from .guest import Guest, TapDevice, VhostUserDevice
from .network import Network, Addresses
from .nic import NIC
from .process import BedError, Process, stop_everything
from .traffic import Direction, Transfer, iperf3, ping

__all__ = [
    "Addresses",
    "BedError",
    "Direction",
    "Guest",
    "NIC",
    "Network",
    "Process",
    "TapDevice",
    "Transfer",
    "VhostUserDevice",
    "iperf3",
    "ping",
    "stop_everything",
]
