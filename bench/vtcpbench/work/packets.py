# SPDX-License-Identifier: Apache-2.0
"""Packets per second."""

from vtcpbed.process import wait_until

from ..errors import BenchError
from ..hogs import Hogs
from ..reading import Reading
from ..session import last_json
from .work import Work


class Packets(Work):
    """vtcp-bench as a guest that does nothing but fill or empty rings. Transmit: its frames go to the peer's uplink, a TAP or nowhere.
    Receive: a flood of frames at the host's end of the uplink.

    The guest sleeps until an interrupt when it has nothing to do, as Linux does; with `poll` it never sleeps, as a guest with DPDK does."""

    share = 0.5

    def __init__(self, direction, size, hogs=0, poll=False):
        way = {"transmit": "guest to host", "receive": "host to guest"}[direction]
        name = f"{direction}-{size}" + ("-polled" if poll else "") + (f"-hogs{hogs}" if hogs else "")
        super().__init__(name, f"{way}, {size} octets" + (", guest polls" if poll else ""))
        self.direction = direction
        self.size = size
        self.hogs = hogs
        self.poll = poll

    def prepare(self, session, peer):
        session.socket = peer.start(session)

    def measure(self, session, seconds):
        program = session.programs.bench
        if self.direction == "receive":
            flood = [program, "flood", "--interface", session.interface, "--size", self.size, "--seconds", seconds + 30]
            session.closing(session.host.start(f"flood-{self.name}", flood))
        command = [program, "generate", "--connect", session.socket, "--direction", self.direction, "--size", self.size]
        command += ["--seconds", seconds, *(["--poll"] if self.poll else [])]
        with Hogs(self.hogs, session.host.folder):
            process = session.closing(session.host.start(f"generate-{self.name}", command))
            session.placement.place(process, "guest")
            wait_until(lambda: "ready" in process.log().split(), 30, "the generator's rings", process)
            before = Reading.of(session.backend)
            status = process.wait(seconds + 30)
            used = Reading.of(session.backend).since(before)
        if status != 0:
            raise BenchError(f"generate: status {status}\n{process.log_tail()}")
        rate = last_json(process)["packets_per_second"]
        values = {"packets_per_second": rate, "cpu_percent": 100 * used.cpu_seconds / used.moment}
        if rate > 0:
            values["cpu_nanoseconds_per_packet"] = 1e9 * used.cpu_seconds / (rate * used.moment)
        values["wakeups_per_second"] = used.voluntary / used.moment
        return values
