# SPDX-License-Identifier: Apache-2.0
"""passt."""

from ..session import GUEST, HOST, PREFIX
from .peer import Peer


class Passt(Peer):
    """passt ends the guest's TCP connections and makes connections of the host's own out of them. No TAP, no root, no segmentation
    offload: a guest's frames are as large as the MTU that it gives out."""

    mtu = 65520

    def __init__(self):
        super().__init__("passt", "passt")

    def missing(self, programs):
        return None if programs.passt else "passt is not built: bench/build-passt"

    def start(self, session):
        # It wants an interface with a default route to take its place.
        session.host.ip("link", "add", "up0", "type", "veth", "peer", "name", "up1")
        session.host.ip("link", "set", "up1", "up")
        session.host.ip("address", "add", "10.78.0.1/24", "dev", "up0")
        session.host.ip("link", "set", "up0", "up")
        session.host.ip("route", "add", "default", "via", "10.78.0.2")
        # It answers a guest's pings by sockets for pings, which are for the groups that the system names.
        session.host.sysctl("net.ipv4.ping_group_range=0 2147483647")
        # Its window towards the guest is that of its socket on the host. That begins with less than one frame, and a guest that waits for
        # room for a whole one stands still. Of six sizes tried, 2 MiB was the best for it.
        for setting in ("tcp_rmem", "tcp_wmem"):
            session.host.sysctl(f"net.ipv4.{setting}=4096 2097152 33554432")
        socket = session.path("passt")
        command = [session.programs.passt, "--vhost-user", "--foreground", "--one-off", "--runas", "0", "-4"]
        command += ["--socket", socket, "--interface", "up0", "--address", GUEST, "--netmask", PREFIX, "--gateway", HOST]
        # The host's servers, under the address that they have for every other peer.
        command += ["--map-host-loopback", HOST]
        session.start_backend("passt", command, [socket])
        return socket
