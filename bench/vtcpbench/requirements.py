# SPDX-License-Identifier: Apache-2.0
"""The list of them."""

from .requirement import Requirement

_WAYS = {"transmit": "guest to host", "receive": "host to guest", "both": "both ways"}


def all_requirements():
    """In the order in which they are shown."""
    return [*_tcp(), *_latency(), *_packets(), *_module(), *_large_send()]


def _tcp():
    for flows in (1, 8):
        for direction, way in _WAYS.items():
            work = f"{direction}-{flows}"
            title = f"{way}, {flows} flow{'s' if flows > 1 else ''}"
            speed, cost = "gigabits_per_second", "cpu_seconds_per_gigabyte"
            yield Requirement(f"{title}: Gbit/s, of the C back-end's", "tcp", work, speed, "c", 0.95)
            yield Requirement(f"{title}: CPU per GB, of the C back-end's", "tcp", work, cost, "c", 1.1, at_least=False)
            passt = 1.0 if (direction, flows) == ("receive", 8) else 1.2
            yield Requirement(f"{title}: Gbit/s, of passt's", "tcp", work, speed, "passt", passt)
            yield Requirement(f"{title}: Gbit/s, of DPDK's with net_tap", "tcp", work, speed, "dpdk-tap", 6.0)
            yield Requirement(f"{title}: CPU per GB, of DPDK's two ports'", "tcp", work, cost, "dpdk-two", 0.6, at_least=False)


def _latency():
    def at_most(text, peer, other, limit):
        return Requirement(text, "latency", "round-trip", "p50_us", other, limit, at_least=False, peer=peer)

    yield at_most("request/response: p50, of the C back-end's", "ours", "c", 1.05)
    yield at_most("request/response: p50, adaptive polling, of DPDK's with net_tap", "ours-adaptive", "dpdk-tap", 1.0)
    yield at_most("request/response: p50, adaptive polling, of DPDK's two ports'", "ours-adaptive", "dpdk-two", 1.0)


def _packets():
    metric = "packets_per_second"
    for direction in ("transmit", "receive"):
        work, title = f"{direction}-60", f"{_WAYS[direction]}, 60 octets"
        yield Requirement(f"{title}: packets/s on a TAP, of the C back-end's", "packets", work, metric, "c", 0.95)
        yield Requirement(f"{title}: packets/s, packet socket, of the C back-end's TAP", "packets", work, metric, "c", 1.2, peer="ours-packet")
    for polled, guest in (("", ""), ("-polled", ", guest polls")):
        for size, limit in ((64, 0.6), (1500, 0.9)):
            text = f"{size} octets to nowhere{guest}: packets/s, adaptive polling, of DPDK's vhost"
            yield Requirement(text, "null", f"transmit-{size}{polled}", metric, "dpdk", limit, peer="ours-adaptive")
    for polled, guest in (("", ""), ("-polled", ", guest polls")):
        for size in (64, 1500):
            text = f"{size} octets, three CPU hogs{guest}: packets/s, adaptive polling, of DPDK's vhost"
            yield Requirement(text, "hogs", f"transmit-{size}{polled}-hogs3", metric, "dpdk", 3.0, peer="ours-adaptive")


def _module():
    """How much longer without the module; what it takes where nothing is to be gained."""
    arrived, acknowledged = "finish_ms", "acknowledged_ms"
    for work, text, metric, limit in (
        ("transmit-100k-2ms-3vms", "100 KB guest to host, 3 VMs a core", arrived, 2.0),
        ("transmit-100k-2ms-5vms", "100 KB guest to host, 5 VMs a core", arrived, 3.0),
        ("transmit-1000k-10ms-5vms", "1 MB guest to host, 5 VMs a core", arrived, 3.0),
        ("receive-100k-0.2ms-3vms", "100 KB host to guest, 3 VMs a core, acknowledged", acknowledged, 5.0),
        ("receive-1000k-10ms-3vms", "1 MB host to guest, 3 VMs a core", arrived, 1.8),
        ("transmit-1000k-20ms-3vms-loss", "1 MB guest to host, 3 VMs a core, 1 % lost", arrived, 1.5),
    ):
        yield Requirement(f"{text}: time without early acknowledgment, of that with", "contention", work, metric, "ours-early", limit)
    for direction in ("transmit", "receive"):
        text = f"question beside a bulk transfer {_WAYS[direction]}: p99, early acknowledgment, of without"
        yield Requirement(text, "questions", f"questions-{direction}", "p99_us", "ours", 1.2, at_least=False, peer="ours-early")
    for text, limit, at_least in (("at least", 0.8, True), ("at most", 1.25, False)):
        yield Requirement(f"share of a link beside another guest's CUBIC, of that without the module: {text}", "sharing", "share", "share", "ours", limit, at_least, peer="ours-early")
    text = "1 % lost, RTT 40 ms: Mbit/s, policy's BBR, of the guest's Reno"
    yield Requirement(text, "algorithms", "bulk", "megabits_per_second", "ours", 10, peer="ours-bbr")
    for place, far in (("200 Mbit/s, RTT 10 ms, ", "-far"), ("", "")):
        for flows in (1, 4):
            for direction in ("transmit", "receive"):
                text = f"{place}{_WAYS[direction]}, {flows} flow{'s' if flows > 1 else ''}: rate while policy changes for others, of without"
                yield Requirement(text, "policy", f"alternation-{direction}-{flows}{far}", "changed", "ours-always", 0.95, peer="ours-changed")
    for flows in (1, 8):
        for direction, way in _WAYS.items():
            title = f"{way}, {flows} flow{'s' if flows > 1 else ''}"
            for name, metric, limit, at_least in (("Gbit/s", "gigabits_per_second", 0.97, True), ("CPU per GB", "cpu_seconds_per_gigabyte", 1.6, False)):
                text = f"{title}: {name}, early acknowledgment, of without"
                yield Requirement(text, "module", f"{direction}-{flows}", metric, "ours", limit, at_least, peer="ours-early")


def _large_send():
    """Packets of two stages beside those of one, 64 KiB."""
    for family in (4, 6):
        bulk, questions = f"bulk-ipv{family}", f"questions-ipv{family}"
        for peer, size, fewer in (("256k", "256 KiB", 3.8), ("512k", "512 KiB", 7.0)):
            text = f"IPv{family}, packets of {size}, of 64 KiB"
            yield Requirement(f"{text}: times fewer packets per MiB", "large-send", bulk, "guest_packets_per_mebibyte", peer, fewer, peer="64k")
            yield Requirement(f"{text}: Gbit/s", "large-send", bulk, "gigabits_per_second", "64k", 1.2, peer=peer)
            yield Requirement(f"{text}: CPU per GB", "large-send", bulk, "cpu_seconds_per_gigabyte", "64k", 0.85, at_least=False, peer=peer)
            yield Requirement(f"{text}: p99 of questions beside", "large-send", questions, "p99_us", "64k", 1.05, at_least=False, peer=peer)
