# SPDX-License-Identifier: Apache-2.0
"""Ways from a guest to the network."""

from .changed import Changed
from .passt import Passt
from .peer import Peer
from .reference import Reference
from .ruled import Ruled
from .testpmd import Testpmd
from .two_ports import TwoPorts
from .veth import Veth
from .vtcp_nic import VtcpNIC

__all__ = ["Changed", "Passt", "Peer", "Reference", "Ruled", "Testpmd", "TwoPorts", "Veth", "VtcpNIC"]
