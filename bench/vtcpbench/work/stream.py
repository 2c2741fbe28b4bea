# SPDX-License-Identifier: Apache-2.0
"""TCP throughput."""

import signal
import time

from vtcpbed.process import wait_until

from ..reading import Reading
from .work import Work, ports, wait_listening

# Slow start and the filling of buffers are not what is asked for.
_SETTLE = 0.3


class Stream(Work):
    """iperf3 flows, guest to host (transmit), host to guest (receive), or both at once. The server is the host's.

    What arrived is counted by what the receiving iperf3s have read (/proc/PID/io), so that bytes and processor time are of one interval
    that neither begins nor ends with the connections.
    """

    def __init__(self, direction, flows):
        self.direction = direction
        self.flows = flows
        way = {"transmit": "guest to host", "receive": "host to guest", "both": "both ways"}[direction]
        super().__init__(f"{direction}-{flows}", f"{way}, {flows} flow{'s' if flows > 1 else ''}")

    def measure(self, session, seconds):
        port = next(ports)
        server = session.closing(session.host.start(f"iperf3-server-{port}", ["iperf3", "--server", "--one-off", "--port", port]))
        wait_listening(session.host, port, server)
        way = {"transmit": [], "receive": ["--reverse"], "both": ["--bidir"]}[self.direction]
        command = ["iperf3", "--client", session.server_address, "--port", port, "--time", 600, "--parallel", self.flows, *way]
        client = session.closing(session.guest.start(f"iperf3-{port}", [*command, "--connect-timeout", 10000]))
        receivers = {"transmit": [server], "receive": [client], "both": [server, client]}[self.direction]
        try:
            wait_until(lambda: all(_read(process) > 1 << 20 for process in receivers), 15, "the first megabyte", client)
            time.sleep(_SETTLE)
            return self._sample(session, receivers, seconds)
        finally:
            client.stop(signal.SIGKILL)
            server.stop(signal.SIGKILL)

    def _sample(self, session, receivers, seconds):
        backends = [session.backend] if session.backend else []
        processes = backends + session.front_ends
        bytes_before, before = [_read(process) for process in receivers], [Reading.of(process) for process in processes]
        start = time.monotonic()
        time.sleep(seconds)
        length = time.monotonic() - start
        bytes_after, after = [_read(process) for process in receivers], [Reading.of(process) for process in processes]
        arrived = [later - earlier for earlier, later in zip(bytes_before, bytes_after)]
        gigabytes = sum(arrived) / 1e9
        values = {"gigabits_per_second": 8 * gigabytes / length}
        used = [later.since(earlier) for earlier, later in zip(before, after)]
        if len(arrived) == 2:
            values["transmit_gigabits_per_second"], values["receive_gigabits_per_second"] = (8e-9 * count / length for count in arrived)
        if backends and gigabytes > 0:
            values["cpu_seconds_per_gigabyte"] = used[0].cpu_seconds / gigabytes
            values["cpu_percent"] = 100 * used[0].cpu_seconds / used[0].moment
            values["wakeups_per_second"] = used[0].voluntary / used[0].moment
            values["front_end_cpu_seconds_per_gigabyte"] = sum(one.cpu_seconds for one in used[1:]) / gigabytes
        return values


def _read(process):
    """How many bytes the process has read so far."""
    with open(f"/proc/{process.pid}/io") as file:
        return int(next(line for line in file if line.startswith("rchar")).split()[1])
