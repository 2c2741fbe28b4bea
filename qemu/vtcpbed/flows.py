# SPDX-License-Identifier: Apache-2.0
"""Many TCP connections at once between two kernels, by bench/flows, and what both ends and their kernels say of them."""

import itertools
import json
import signal

from . import image
from .process import BedError, wait_until

_numbers = itertools.count(1)

# What a kernel counts when the other end, or what is between, does something that it should not, or that it has to repair.
JUDGED = (
    "PAWSEstab",
    "PAWSActive",
    "TCPSpuriousRTOs",
    "TCPChallengeACK",
    "TCPSYNChallenge",
    "TCPACKSkippedPAWS",
    "TCPACKSkippedSeq",
    "TCPACKSkippedChallenge",
    "TCPDSACKRecv",
    "TCPDSACKOfoRecv",
    "TCPDSACKOldSent",
    "TCPDSACKOfoSent",
    "TCPDSACKIgnoredOld",
    "TCPDSACKIgnoredNoUndo",
    "TCPSACKDiscard",
    "TCPSACKReneging",
    "TCPWantZeroWindowAdv",
    "TCPToZeroWindowAdv",
    "TCPZeroWindowDrop",
    "BeyondWindow",
    "TCPRcvQDrop",
    "TCPOFOQueue",
    "TCPTimeouts",
    "TCPLostRetransmit",
    "TCPFastRetrans",
    "TCPKeepAlive",
    "TCPAbortOnTimeout",
    "RetransSegs",
    "InCsumErrors",
    "InErrs",
)


def program():
    """The path of bench/flows."""
    return image.compiled("flows", "flows/*.c")


def kernel_counters(text):
    """Of /proc/net/snmp and /proc/net/netstat, one after the other: {"PAWSEstab": 0, ...}; Tcp, TcpExt and MPTcpExt have no name in common."""
    lines = [line.split() for line in text.splitlines()]
    counters = {}
    for names, values in zip(lines[::2], lines[1::2]):
        if names[0] in ("Tcp:", "TcpExt:"):
            counters.update(zip(names[1:], map(int, values[1:])))
    return counters


class End:
    """One end of the connections: `run` gives the output of a shell command there; `start` starts the program, which waits for `begin`, and
    `log` returns what it has said."""

    def counters(self):
        return kernel_counters(self.run("cat /proc/net/snmp /proc/net/netstat"))

    def set(self, settings):
        """Settings of the kernel's TCP: {"tcp_sack": 0}."""
        self.run("; ".join(f"echo {value} >/proc/sys/net/ipv4/{name}" for name, value in settings.items()))


class NetworkEnd(End):
    def __init__(self, network, addresses):
        self._network = network
        self.addresses = addresses

    def run(self, command):
        return self._network.run("sh", "-c", command)

    def start(self, side, words):
        # A log of its own each time.
        self._process = self._network.start(f"flows-{side}-{next(_numbers)}", [program(), *words])

    def begin(self):
        self._process.send(signal.SIGUSR1)

    def ended(self):
        return self._process.ended()

    def log(self):
        return self._process.log()

    def stop(self):
        self._process.stop()


class GuestEnd(End):
    def __init__(self, guest, addresses):
        self._guest = guest
        self.addresses = addresses

    def run(self, command):
        return self._guest.sh(command)

    def start(self, side, words):
        self._output = f"/tmp/flows-{side}.log"
        self._number = self._guest.start(f"exec /tmp/flows {' '.join(map(str, words))}", self._output)

    def begin(self):
        self._guest.sh(f"kill -USR1 {self._number}")

    def ended(self):
        return self._guest.run(f"kill -0 {self._number}")[0] != 0

    def log(self):
        return self._guest.sh(f"cat {self._output}", 120)

    def stop(self):
        self._guest.run(f"kill {self._number}")


class Side:
    """What one side has printed: its JSON line, its records by connection, and its failures."""

    def __init__(self, log):
        lines = log.splitlines()
        self.failures = [line for line in lines if line.startswith("failure ")]
        if not lines or not lines[-1].startswith("{"):
            raise BedError("flows has not come to its end:\n" + "\n".join(lines[-10:]))
        self.report = json.loads(lines[-1])
        rows = (line.split()[1:] for line in lines if line.startswith("record "))
        # Connection: meant to be whole or reset, how it ended, (octets sent, digest), (octets received, digest).
        self.records = {row[0]: (row[1], row[2], (int(row[3]), row[4]), (int(row[5]), row[6])) for row in rows}


def differences(a, b):
    """Sentences about connections of which the two sides don't say the same."""
    wrong = [f"{name} is known to one side only" for name in sorted(a.records.keys() ^ b.records.keys())]
    for name in a.records.keys() & b.records.keys():
        (meaning, how_a, sent_a, received_a), (_, how_b, sent_b, received_b) = a.records[name], b.records[name]
        if meaning == "whole" and (sent_a != received_b or sent_b != received_a or how_a != "complete" or how_b != "complete"):
            wrong.append(f"{name}: a {how_a}, sent {sent_a}, received {received_a}; b {how_b}, sent {sent_b}, received {received_b}")
        # That it is a prefix, octet for octet, the receiver has seen by itself.
        if received_b[0] > sent_a[0] or received_a[0] > sent_b[0]:
            wrong.append(f"{name}: more was received than sent")
    return wrong


def begin_flows(ends):
    """Has both ends connect, once both of them listen."""
    wait_until(lambda: all("ready" in end.log() for end in ends), 20, "flows listens", interval=0.05)
    for end in ends:
        end.begin()


def run_flows(ends, seed, seconds, meanwhile=None, **options):
    """Runs the connections between two `End`s, and returns what was seen: {"a": report, "b": report, "counters": [...], "problems": [...]}.

    `meanwhile` is called again and again until the end. `options` are those of the program: flows, max_size, congestion, abort, pause, spread, stall.
    """
    words = ["--seed", seed, "--limit", seconds]
    for name, value in options.items():
        words += [f"--{name.replace('_', '-')}", value]
    before = [end.counters() for end in ends]
    try:
        for side, end, peer in (("a", ends[0], ends[1]), ("b", ends[1], ends[0])):
            end.start(side, ["--side", side, *(word for address in peer.addresses for word in ("--peer", address)), *words])
        begin_flows(ends)
        # Each side ends by itself.
        def ended():
            if meanwhile is not None:
                meanwhile()
            return ends[1].ended() and ends[0].ended()

        wait_until(ended, seconds + 20, "flows", interval=0.05)
    finally:
        for end in ends:
            end.stop()
    a, b = (Side(end.log()) for end in ends)
    changes = []
    for end, old in zip(ends, before):
        new = end.counters()
        changes.append({name: new[name] - old[name] for name in JUDGED if new.get(name, 0) != old.get(name, 0)})
    never = [f"side {side.report['side']}: {side.report['never_came']} connections never came" for side in (a, b) if side.report["never_came"]]
    return {
        "options": " ".join(map(str, words)),
        "a": a.report,
        "b": b.report,
        "counters": changes,
        "problems": [*a.failures, *b.failures, *never, *differences(a, b)],
    }
