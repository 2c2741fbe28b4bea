# SPDX-License-Identifier: Apache-2.0
"""A guest's kernel as the reference of congestion control: it sends over an impaired link, and what it met and did is recorded.

What it met (times, acknowledgments, samples of the round trip, losses) is a schedule; `vtcp-simulate --replay` has our algorithms meet the same and
compares the windows (docs/algorithms.md). The format is RecordedSchedule's. Four of the kernel's events tell it all:

* tcp:tcp_probe, of each segment before it is processed: what is acknowledged, what was sent, the window. The window that an acknowledgment
  left is that of the next one.
* a probe at tcp_rate_gen, which each acknowledgment passes just before congestion control: its sample, and what it delivered.
* a probe at tcp_rcv_established, just before the first of these: whether the segment reports a mark.
* tcp:tcp_cong_state_set: recovery and timeouts begin and end.
"""

import base64
import gzip
import itertools
import re
import sys

from .legs import FAR, Legs
from .process import BedError, wait_until

# On a link that marks. As Linux names them.
MARKED = ("dctcp",)
# Links, and who is recorded over them.
BEDS = (
    # Windows of some tens of segments, a queue that delays, and losses of both kinds: by the queue's end, and by chance.
    ("delay=45ms,rate=20mbit,queue=100000,loss=0.1%", ("reno", "cubic", "bic", "highspeed", "scalable", "westwood", "illinois", "htcp")),
    # So slow that Vegas finds a queue; before, it is Reno.
    ("delay=45ms,rate=3mbit,queue=100000,loss=0.1%", ("vegas",)),
    ("delay=20ms,rate=20mbit,queue=300000,mark-above=20000", MARKED),
)
# Segments.
THRESHOLD = 100
_BUILT_IN = ("reno", "cubic")
_KERNEL = "6.12"
# One may not have saved what the bed needs.
_GUESTS = 4
# Of an MTU of 1500, with timestamps.
_SEGMENT = 1448
_TRACING = "/sys/kernel/tracing"
_EVENTS = ("tcp/tcp_probe", "tcp/tcp_cong_state_set", "oracle/rate", "oracle/flags")
# In TCP's header.
_ECE = 0x40
_ports = itertools.count(31000)

_OPEN, _DISORDER, _REDUCED, _RECOVERY, _LOSS = range(5)


class Oracle:
    """Use it as a context manager. `link` as --both of vtcp-relay has it."""

    def __init__(self, link, seed=1, threshold=THRESHOLD):
        self._link, self._seed, self._threshold = link, seed, threshold

    def __enter__(self):
        for _ in range(_GUESTS):
            self._legs = Legs(self._link, self._seed, guest=_KERNEL)
            self._guest, self._host = self._legs.ends[0], self._legs.host
            try:
                if self._begin():
                    return self
                metrics = self._guest.run("ip tcp_metrics; ip route")
            except BaseException:
                self._legs.__exit__(*sys.exc_info())
                raise
            self._legs.__exit__(None, None, None)
        raise BedError(f"the kernels of {_GUESTS} guests remember no slow start threshold of the host:\n{metrics}")

    def _begin(self):
        """Makes everything ready; false if this guest's kernel remembers no threshold."""
        # Every segment is acknowledged by itself: some of Linux's modules correct for delayed acknowledgments, and ours do not.
        self._host.ip("route", "replace", "default", "via", FAR.host(), "quickack", 1)
        # A sender that uses DCTCP sends its SYN with ECT, of which a receiver that does not would not agree on ECN.
        rules = "table ip oracle { chain forward { type filter hook forward priority 0; tcp flags & (syn | ack) == syn ip ecn set not-ect; }; }"
        self._legs.router.run("nft", rules)
        # A receiver that has room from the beginning.
        self._host.sysctl("net.ipv4.tcp_rmem=4096 4000000 8000000")
        self._guest.run(
            f"mount -t tracefs tracefs {_TRACING}; cd {_TRACING}; echo mono >trace_clock; echo 24576 >buffer_size_kb;"
            " echo 'f:oracle/rate tcp_rate_gen delivered=delivered:u32 rtt=rs->rtt_us:s64' >dynamic_events;"
            " echo 'f:oracle/flags tcp_rcv_established flags=+13(skb->data):u8' >>dynamic_events;"
            " echo 0 >/sys/module/tcp_cubic/parameters/hystart; echo hpet >/sys/devices/system/clocksource/clocksource0/current_clocksource"
        )
        # Slow start ends by itself: in a loss that ends it, HighSpeed of Linux takes the window for a small one. The kernel takes the threshold
        # from what it remembers of the host, and that, when a connection has ended, from the route.
        self._guest.run(f"ip route replace default via {self._legs.router.addresses.host()} ssthresh lock {self._threshold}")
        self._guest.set({"tcp_no_metrics_save": 0, "tcp_no_ssthresh_metrics_save": 0})
        # One that lost something at its end leaves nothing.
        for _ in range(3):
            # What is remembered without a threshold stays as it is.
            self._guest.run("ip tcp_metrics flush")
            self._connection("echo | socat -u - {to}")
            if "ssthresh" in self._guest.run("for i in $(seq 40); do ip tcp_metrics | grep ssthresh && break; sleep 0.05; done; true"):
                self._guest.set({"tcp_no_metrics_save": 1})
                return True
        return False

    def __exit__(self, *reason):
        return self._legs.__exit__(*reason)

    def record(self, algorithm, seconds):
        """The schedule of one connection that sends all the time, as text."""
        if algorithm not in _BUILT_IN:
            self._guest.run(f"modprobe tcp_{algorithm}")
        self._guest.set({"tcp_congestion_control": algorithm, "tcp_ecn": 1 if algorithm in MARKED else 2})
        # Full segments alone: the kernel counts one that is not as one, we its octets.
        packed = self._connection(f"timeout {seconds} socat -u -b {1000 * _SEGMENT} OPEN:/dev/zero {{to}}")
        kernel = self._guest.run("uname -r").strip()
        head = [f"# Linux {kernel}, recorded by vtcpbed.oracle", f"algorithm {algorithm}", f"segment {_SEGMENT}"]
        return "\n".join(head + schedule(gzip.decompress(base64.b64decode(packed)).decode())) + "\n"

    def _connection(self, command):
        """The trace of one connection, compressed, on which a command sends to socat's address `to`."""
        port = next(_ports)
        sink = self._host.start(f"sink-{port}", ["socat", "-u", f"TCP4-LISTEN:{port}", "OPEN:/dev/null"])
        try:
            wait_until(lambda: f":{port} " in self._host.run("ss", "-ltn"), 10, "socat", sink)
            switches = " ".join(f"events/{event}/enable" for event in _EVENTS)
            filters = "; ".join(f"echo 'dport == {port}' >{event}/filter" for event in (f"events/{name}" for name in _EVENTS[:2]))
            return self._guest.run(
                f"cd {_TRACING}; {filters}; echo >trace; for file in {switches}; do echo 1 >$file; done;"
                f" {command.format(to=f'TCP4:{self._legs.ends[1].addresses[0]}:{port}')};"
                f" for file in {switches}; do echo 0 >$file; done; gzip -c trace | base64 -w 0"
            )
        finally:
            sink.stop()


class _Segment:
    """One that came in, from tcp_probe, and what followed before the next one: states before and after its acknowledgment was counted."""

    def __init__(self, time, words, is_marked):
        self.time = time
        self.is_marked = is_marked
        self.acknowledged = int(words["snd_una"], 16)
        self.sent = int(words["snd_nxt"], 16)
        self.window = int(words["snd_cwnd"])
        self.threshold = int(words["ssthresh"])
        self.sample = self.delivered = None
        self.states = []
        self.later = []

    @property
    def in_flight(self):
        return self.sent - self.acknowledged & 0xFFFFFFFF


def _segments(trace):
    """All of a trace, and time and sample of the acknowledgment of the SYN, if it is there."""
    segments, opening, is_marked = [], None, False
    for line in trace.splitlines():
        found = re.search(r" (\d+\.\d+): (\w+): (.*)", line)
        if line.startswith("#") or not found:
            if "LOST" in line:
                raise BedError(f"the trace is not whole: {line}")
            continue
        time, name = round(float(found[1]) * 1e6), found[2]
        words = dict(re.findall(r"(\w+)=(\S+)", found[3]))
        if name == "flags":
            is_marked = bool(int(words["flags"]) & _ECE)
        elif name == "tcp_probe":
            segments.append(_Segment(time, words, is_marked))
        elif not segments:
            opening = (time, int(words["rtt"])) if name == "rate" else opening
        elif name == "rate":
            segments[-1].sample, segments[-1].delivered = int(words["rtt"]), int(words["delivered"])
        elif name == "tcp_cong_state_set":
            last = segments[-1]
            (last.states if last.delivered is None else last.later).append((time, int(words["cong_state"])))
    return segments, opening


def schedule(trace):
    """The lines of a RecordedSchedule from what the kernel's tracing has printed of one connection."""
    segments, opening = _segments(trace)
    if len(segments) < 2:
        raise BedError(f"there is nothing in the trace:\n{trace[:1000]}")
    lines = [f"window {segments[0].window}", f"threshold {segments[0].threshold}"]
    last, before, state = segments[0].time, None, _OPEN
    if opening:
        # That of the SYN, which delivers nothing; some algorithms begin to measure there.
        row, last = [1, opening[1], 1, segments[0].window], opening[0]
        lines.append(" ".join(map(str, [0, *row, 0])))
    for segment, following in zip(segments, segments[1:]):
        octets = following.acknowledged - segment.acknowledged & 0xFFFFFFFF
        left, window = segment.in_flight - octets, segment.window
        for _, new in segment.states:
            last = _moved(lines, (state, new), (segment.time, last), left, window, segment.delivered or 0, segment.is_marked)
            if new <= _DISORDER < state:
                # The end of a recovery, of which nothing else is seen if the next one begins with the same segment.
                window = segment.threshold
            state = new
        delivered = octets if segment.delivered is None else segment.delivered * _SEGMENT
        if octets or delivered:
            words = [segment.sample if segment.sample and segment.sample > 0 else "-", segment.in_flight, following.window]
            row = [octets, *words]
            shown = ["=" if before is not None and now == old else str(now) for now, old in zip(row, before or row)]
            shown += [str(delivered)] * (delivered != octets) + ["marked"] * segment.is_marked
            lines.append(" ".join([str(segment.time - last), *shown]))
            last, before = segment.time, row
        # Timers: of retransmission, and of RACK.
        for time, new in segment.later:
            last = _moved(lines, (state, new), (time, last), following.in_flight)
            state = new
    return lines


def _moved(lines, states, times, in_flight, window=None, delivered=0, is_marked=False):
    """Adds the line for a state that was left for another one, if there is one; returns the time of the last line with a time."""
    (old, new), (now, last) = states, times
    reduced = "" if window is None else f" {window}"
    if new == _LOSS:
        lines.append(f"timeout {now - last} {in_flight}")
    elif old <= _DISORDER and new == _REDUCED and is_marked:
        lines.append(f"mark {now - last}{reduced}")
    elif old <= _DISORDER and new in (_REDUCED, _RECOVERY):
        lines.append(f"loss {now - last} {in_flight}{reduced}")
    else:
        if new <= _DISORDER < old:
            lines.append(f"ended {delivered * _SEGMENT}")
        return last
    return now
