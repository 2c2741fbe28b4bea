# SPDX-License-Identifier: Apache-2.0
"""DPDK."""

import os

from vtcpbed.process import wait_until

from ..session import HOST
from .peer import Peer


class Testpmd(Peer):
    """dpdk-testpmd between a vhost port and a TAP (net_tap), or as a sink behind a vhost port. One polling thread, which never sleeps."""

    def __init__(self, name, label, uplink="tap"):
        super().__init__(name, label)
        self._uplink = uplink

    def missing(self, programs):
        return None if programs.testpmd else "dpdk-testpmd is not installed"

    def start(self, session):
        socket = session.path("v0")
        if self._uplink == "null":
            # Not io with a net_null port: that port would make packets all the time, and time would go by for them.
            self.run(session, [_vhost(0, socket)], [socket], "rxonly")
            return socket
        self.run(session, [_vhost(0, socket), "net_tap0,iface=dtap0"], [socket], "io")
        session.interface = "dtap0"
        wait_until(lambda: session.host.run("ip", "link", "show", "dev", "dtap0", check=False), 10, "net_tap's interface", session.backend)
        session.configure(session.host, "dtap0", HOST)
        return socket

    def run(self, session, devices, sockets, mode, options=()):
        """Starts testpmd with virtual devices. Its first processor is for its main thread, which sleeps; the other is polled."""
        processors = session.placement.processors
        memory = ["--in-memory", "-m", "512"] if session.huge_pages else ["--no-huge", "-m", "512"]
        cores = f"{processors[0]},{session.placement.polled}" if len(processors) > 1 else f"0@{processors[0]},1@{processors[0]}"
        # Its run-time folder goes with the session.
        command = ["env", f"RUNTIME_DIRECTORY={session.host.folder}", session.programs.testpmd, *memory]
        command += ["--no-pci", "--no-telemetry", "--lcores", cores]
        for device in devices:
            command += ["--vdev", device]
        command += ["--", f"--forward-mode={mode}", "--auto-start", "--total-num-mbufs=32768", *options]
        # It ends when its standard input does.
        ours, theirs = os.pipe()
        session.on_close(os.close, theirs)
        try:
            session.start_backend("testpmd", command, sockets, stdin=ours)
        finally:
            os.close(ours)


def _vhost(number, socket, options=""):
    return f"net_vhost{number},iface={socket},queues=1{options}"
