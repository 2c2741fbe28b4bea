# SPDX-License-Identifier: Apache-2.0
"""TCP throughput."""

import signal
import time

from vtcpbed.process import wait_until

from ..arrival import arrived, octets_read
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
            wait_until(lambda: all(octets_read(process) > 1 << 20 for process in receivers), 15, "the first megabyte", client)
            time.sleep(_SETTLE)
            return arrived(session.backend, session.front_ends, receivers, seconds)
        finally:
            client.stop(signal.SIGKILL)
            server.stop(signal.SIGKILL)
