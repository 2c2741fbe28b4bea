# SPDX-License-Identifier: Apache-2.0
"""TCP latency."""

from ..errors import BenchError
from ..reading import Reading
from ..session import last_json
from .work import Work, ports, wait_listening


class RoundTrip(Work):
    """One octet to the host and one back, over one connection, one at a time."""

    def __init__(self):
        super().__init__("round-trip", "request/response, 1 octet")

    def measure(self, session, seconds):
        port = next(ports)
        program = session.programs.bench
        server = session.closing(session.host.start(f"server-{port}", [program, "round-trip", "--server", f"0.0.0.0:{port}"]))
        wait_listening(session.host, port, server)
        backends = [session.backend] if session.backend else []
        before = Reading.of(*backends)
        command = [program, "round-trip", "--client", f"{session.server_address}:{port}", "--seconds", seconds]
        client = session.closing(session.guest.start(f"client-{port}", command))
        status = client.wait(seconds + 20)
        used = Reading.of(*backends).since(before)
        server.stop()
        if status != 0:
            raise BenchError(f"round-trip: status {status}\n{client.log_tail()}")
        result = last_json(client)
        values = {name: result[name] for name in ("p50_us", "p90_us", "p99_us", "max_us")}
        values["round_trips_per_second"] = result["count"] / seconds
        if backends:
            values["cpu_percent"] = 100 * used.cpu_seconds / used.moment
            values["wakeups_per_second"] = used.voluntary / used.moment
            values["wakeups_per_round_trip"] = used.voluntary / max(1, result["count"])
        return values
