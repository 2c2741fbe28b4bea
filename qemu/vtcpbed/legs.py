# SPDX-License-Identifier: Apache-2.0
"""A guest, real or played by a namespace, and a host behind an impaired link; the NIC and a router between them.

    guest (QEMU, or guest0 and vtcp-bench front-end) = vtcp-nic = nic0, router, link0 = vtcp-relay = link0, host

The guest's leg is what goes through the rings, the network's leg what goes through nic0. The router is where others look at the latter:
connection tracking, and captures.
"""

import collections
import contextlib
import json
import os
import re
import signal
import socket

from . import image
from .flows import GuestEnd, NetworkEnd, program
from .guest import Guest
from .network import Addresses, Network
from .nic import NIC
from .process import BedError, run, wait_until
from .relay import Relay
from .traffic import put_file

FAR = Addresses("10.78.0.0/24", "fd78::/64")
_DEFAULTS = ("0.0.0.0/0", "::/0")


class Legs:
    def __init__(self, link="", seed=1, nic_options=(), guest=None, features=None, kept=False, **guest_options):
        """`link` as --both of vtcp-relay has it; `guest`: the kernel of a QEMU guest ("6.1"), or None: a namespace plays it.

        `kept`: a keeper holds what has to outlive vtcp-nic.
        """
        self._stack = contextlib.ExitStack()
        self._complaints = None
        try:
            self.router = self._stack.enter_context(Network())
            self.host = self._stack.enter_context(Network())
            self.router.add_tap("nic0")
            self.relay = self._stack.enter_context(Relay(self.router, self.host, "--both", link, "--seed", seed, addresses=FAR))
            self._forward()
            self.nic = NIC(self.router, "tap:nic0", options=nic_options, kept=kept)
            self._stack.callback(self.nic.close)
            near = self.router.addresses
            mine, theirs = [near.guest(4), near.guest(6)], [FAR.guest(4), FAR.guest(6)]
            if guest is None:
                end = NetworkEnd(self._played_guest(features), mine)
            else:
                end = GuestEnd(self._booted_guest(guest, guest_options), mine)
            self.ends = (end, NetworkEnd(self.host, theirs))
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        with self._stack:
            if kind is None:
                assert not self.nic.process.ended(), self.nic.process.log_tail()
                self._leave_guest()
                status = self.nic.stop()
                assert status == 0, f"vtcp-nic ended with {status} at SIGTERM\n{self.nic.process.log_tail()}"

    def _forward(self):
        for name in ("ipv4.ip_forward", "ipv6.conf.all.forwarding"):
            self.router.sysctl(f"net.{name}=1")
        for net, way in zip(_DEFAULTS, (FAR.host(4), FAR.host(6))):
            self.host.ip("route", "add", net, "via", way)

    def _played_guest(self, features):
        guest = self._stack.enter_context(Network())
        guest.ip("tuntap", "add", "dev", "guest0", "mode", "tap", "vnet_hdr")
        guest.ip("link", "set", "guest0", "up")
        for address in guest.addresses.guest_networks():
            guest.ip("address", "add", address, "dev", "guest0")
        for net, family in zip(_DEFAULTS, (4, 6)):
            guest.ip("route", "add", net, "via", guest.addresses.host(family))
        words = [image.bench(), "front-end", "--connect", self.nic.socket, "--tap", "guest0"]
        process = guest.start("front-end", [*words, *([] if features is None else ["--features", features])])
        self._stack.callback(process.stop)
        wait_until(lambda: "ready\n" in process.log(), 10, "ready", process)
        self._leave_guest = process.stop
        self.front_end = process
        self.guest_network = guest
        return guest

    def _booted_guest(self, kernel, options):
        guest = self._stack.enter_context(Guest(self.router, self.nic.device(), kernel=kernel, **options))
        self.guest = guest
        self._leave_guest = guest.stop
        for family, program_option in ((4, ""), (6, "-6")):
            guest.sh(f"ip {program_option} route add default via {guest.network.addresses.host(family)}")
        put_file(guest, program(), "/tmp/flows")
        guest.sh("chmod +x /tmp/flows")
        return guest

    def track_connections(self):
        """Has the router drop what its connection tracking finds invalid, by its strict rules."""
        rules = "table inet judge { chain forward { type filter hook forward priority 0; ct state invalid counter drop; }; }"
        path = os.path.join(self.router.folder, "judge.nft")
        with open(path, "w") as file:
            file.write(rules)
        self.router.sysctl("net.netfilter.nf_conntrack_tcp_be_liberal=0")
        self.router.run("nft", "-f", path)
        # Why, it says to a log of packets, if this kernel has that.
        with contextlib.suppress(BedError):
            for family in (socket.AF_INET, socket.AF_INET6):
                self.router.sysctl(f"net.netfilter.nf_log.{int(family)}=nfnetlink_log")
            self.router.sysctl(f"net.netfilter.nf_conntrack_log_invalid={socket.IPPROTO_TCP}")
            self._complaints = self._stack.enter_context(self.captured(self.router, "nflog:0", ""))

    def invalid(self):
        """How many packets connection tracking has dropped, and why, as far as the kernel says it: (number, {reason: number})."""
        count = int(re.search(r"counter packets (\d+)", self.router.run("nft", "list", "table", "inet", "judge"))[1])
        reasons = collections.Counter()
        if self._complaints is not None:
            self._complaints.stop()
            reasons.update(run(["tshark", "-r", self._complaints.path, "-T", "fields", "-e", "nflog.prefix"]).splitlines())
        return count, dict(reasons)

    @staticmethod
    @contextlib.contextmanager
    def captured(network, device, which="tcp"):
        """Captures what goes through a device; afterwards `path` of what it gives is the file."""
        capture = _Capture(network, device, which)
        try:
            yield capture
        finally:
            capture.stop()


class _Capture:
    def __init__(self, network, device, which):
        self.path = os.path.join(network.folder, f"{device}.pcap")
        # Each place of the kernel's buffer is as large as the largest packet may be: with this much 2,000 may wait for tcpdump to run.
        words = ["tcpdump", "-i", device, "-s", "65600", "-B", "131072", "--immediate-mode", "-Z", "root", "-w", self.path, which]
        self._process = network.start(f"capture-{device}", words)
        wait_until(lambda: "listening on" in self._process.log(), 10, "tcpdump", self._process)

    def stop(self):
        self._process.stop(signal.SIGINT)

    def lost(self):
        return int(re.search(r"(\d+) packets? dropped by kernel", self._process.log())[1])

    def expert(self, has_checksums):
        """What tshark's expert finds: {(severity, sentence): count}, severities "Errors", "Warns", "Notes", "Chats"."""
        checks = ["-o", f"tcp.check_checksum:{has_checksums}"]
        found, severity = {}, ""
        for line in run(["tshark", *checks, "-r", self.path, "-q", "-z", "expert,tcp"], seconds=120).splitlines():
            # Frequency, group, protocol, summary.
            words = line.split(None, 3)
            if len(words) == 2 and words[1].startswith("("):
                severity = words[0]
            # The payload is random, and is taken for many a protocol.
            elif len(words) == 4 and words[2] == "TCP":
                found[severity, words[3]] = int(words[0])
        return found


def appended_report(name, value):
    """Adds a line of JSON to the file that VTCP_REPORT names, if it does."""
    path = os.environ.get("VTCP_REPORT")
    if path:
        with open(path, "a") as file:
            file.write(json.dumps({"test": name, **value}) + "\n")
