# SPDX-License-Identifier: Apache-2.0
"""The network that a guest's cable leads into: a namespace with a TAP or a veth pair, this machine's own stack at its other end."""

import dataclasses
import ipaddress
import json
import os
import shutil
import signal

from .process import Process, run, scratch_folder, wait_until


@dataclasses.dataclass(frozen=True)
class Addresses:
    """Of the ends of the cables: `.1` is the host's, `.2` and up the guests', in both families."""

    ipv4: str = "10.77.0.0/24"
    ipv6: str = "fd77::/64"

    def _nth(self, family, n):
        net = ipaddress.ip_network(self.ipv4 if family == 4 else self.ipv6)
        return f"{net[n]}/{net.prefixlen}"

    def host(self, family=4):
        return self._nth(family, 1).split("/")[0]

    def guest(self, family=4, index=0):
        return self._nth(family, 2 + index).split("/")[0]

    @property
    def host_networks(self):
        return [self._nth(4, 1), self._nth(6, 1)]

    def guest_networks(self, index=0):
        return [self._nth(4, 2 + index), self._nth(6, 2 + index)]


class Network:
    """An anonymous network namespace. It exists as long as its holder process, and so never longer than the program that made it."""

    def __init__(self, survives=False):
        self.folder = scratch_folder("bed", survives)
        self.addresses = Addresses()
        self._survives = survives
        self._holder = Process(
            "holder", ["unshare", "--net", "sleep", "infinity"], folder=self.folder, survives=survives
        )
        self.path = f"/proc/{self._holder.pid}/ns/net"
        mine = os.stat("/proc/self/ns/net").st_ino
        wait_until(lambda: os.stat(self.path).st_ino != mine, 10, "a network namespace", self._holder)
        self.ip("link", "set", "lo", "up")
        for kind in ("default", "all"):
            self.sysctl(f"net.ipv6.conf.{kind}.accept_dad=0")

    @property
    def holder_pid(self):
        return self._holder.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends the namespace, with its devices. Processes in it must have been stopped."""
        self._holder.stop(signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *command, **options):
        return run(command, namespace=self.path, **options)

    def ip(self, *words):
        return self.run("ip", *words)

    def sysctl(self, setting):
        # /proc/sys/net shows the namespace of the process that looks.
        name, value = setting.split("=")
        self.run("sh", "-c", f"echo '{value}' >/proc/sys/{name.replace('.', '/')}")

    def kernel_counter(self, name):
        """Of `nstat`, since the namespace is there."""
        return json.loads(self.run("nstat", "-asz", "-j", name))["kernel"][name]

    def start(self, name, command, **options):
        return Process(name, command, namespace=self.path, folder=self.folder, **options)

    def _configure(self, device, mtu):
        self.ip("link", "set", device, "mtu", mtu, "up")
        for address in self.addresses.host_networks:
            self.ip("address", "add", address, "dev", device)

    def add_bridge(self, name="bridge0"):
        """A bridge with the host's addresses, for more than one guest."""
        self.ip("link", "add", name, "type", "bridge")
        self._configure(name, 1500)
        return name

    def add_tap(self, name="tap0", queues=1, mtu=1500, bridge=None):
        """A persistent TAP with offloads; with more than one queue pair it must be a multi-queue one."""
        flags = ["vnet_hdr"] + (["multi_queue"] if queues > 1 else [])
        self.ip("tuntap", "add", "dev", name, "mode", "tap", *flags)
        if bridge is None:
            self._configure(name, mtu)
        else:
            self.sysctl(f"net.ipv6.conf.{name}.disable_ipv6=1")
            self.ip("link", "set", name, "master", bridge, "mtu", mtu, "up")
        return name

    def add_veth(self, name="veth0", peer="veth1", mtu=1500):
        """A veth pair: `name` for the NIC (by packet socket), `peer` with the host's addresses."""
        self.ip("link", "add", name, "type", "veth", "peer", "name", peer)
        self.sysctl(f"net.ipv6.conf.{name}.disable_ipv6=1")
        self.ip("link", "set", name, "mtu", mtu, "up")
        self._configure(peer, mtu)
        return name

    def remove(self, device):
        self.ip("link", "delete", device)

    def counters(self, device):
        """Of the kernel's device: {"rx": {"bytes": ..., "packets": ..., "errors": ..., "dropped": ...}, "tx": {...}}."""
        return json.loads(self.ip("-json", "-statistics", "link", "show", "dev", device))[0]["stats64"]
