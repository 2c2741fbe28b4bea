# SPDX-License-Identifier: Apache-2.0
"""ECN in the place of a guest whose kernel does not use it, between real kernels, over a queue that marks."""

import contextlib
import statistics
import threading

import pytest
from vtcpbed.lateness import timed
from vtcpbed.legs import Legs, appended_report
from vtcpbed.process import run
from vtcpbed.stack import stream

pytestmark = pytest.mark.nic

MEBIBYTE = 1 << 20
# 40 Mbit/s and 10 ms: 50,000 octets on the way. The queue marks above 40,000 and holds 400,000, which are on it for 80 ms: none that a busy machine empties.
THRESHOLD, QUEUE = 40_000, 400_000
LINK = f"rate=40mbit,queue={QUEUE},delay=5ms,mark-above={THRESHOLD}"
OFFER = "ecn=offer leastRoundTrip=0"


@contextlib.contextmanager
def bed(tmp_path, configuration, guest_ecn=0, host_ecn=1, link=LINK):
    """A guest that does not use ECN, and a host that offers and accepts it."""
    policy = tmp_path / "vm.policy"
    policy.write_text(f"default {configuration}\n")
    with Legs(link, 1, ["--vtcp=early", f"--policy={policy}"]) as legs:
        legs.guest_network.sysctl(f"net.ipv4.tcp_ecn={guest_ecn}")
        legs.host.sysctl(f"net.ipv4.tcp_ecn={host_ecn}")
        yield legs


def upload(legs, octets, family=4):
    """From the guest, whose kernel uses CUBIC, to the host: what the relay says, and the queue in the second half, looked at again and again."""
    queues = []
    is_over = threading.Event()

    def look():
        while not is_over.wait(0.05):
            queues.append(legs.relay.report()["a_to_b"]["queue"])

    thread = threading.Thread(target=look)
    thread.start()
    try:
        address = legs.ends[1].addresses[0 if family == 4 else 1]
        stream(legs.guest_network, legs.host, address, octets, seconds=90, congestion="cubic")
    finally:
        is_over.set()
        thread.join()
    # In the last tenth of a second all may have been sent.
    steady = sorted(queues[len(queues) // 2 : -2])
    report = legs.relay.report()["a_to_b"]
    seen = {name: report[name] for name in ("marked", "overflowed", "longest_queue")}
    return seen | {"median_queue": statistics.median(steady), "high_queue": steady[len(steady) * 9 // 10], "looks": len(steady)}


def download(legs, octets, family=4):
    stream(legs.host, legs.guest_network, legs.ends[0].addresses[0 if family == 4 else 1], octets, seconds=90, congestion="cubic")


def capable(network, family=4):
    """Packets with ECT or CE, and with CE, that a kernel has got."""
    counters = [network.kernel_counter(f"{'IpExt' if family == 4 else 'Ip6'}In{kind}Pkts") for kind in ("CE", "ECT0", "ECT1")]
    return sum(counters), counters[0]


@pytest.mark.by_the_clock
def test_dctcp_keeps_a_queue_at_its_threshold_that_a_guest_without_ecn_fills(tmp_path):
    seen = {}
    for name, configuration in {
        "dctcp": f"congestionAlgorithm=dctcp {OFFER}",
        "cubic": f"congestionAlgorithm=cubic {OFFER}",
        "snoop": f"congestionAlgorithm=dctcp {OFFER} mode=snoop",
        "kept": "congestionAlgorithm=cubic leastRoundTrip=0",
        "guest": "mode=off",
    }.items():
        with bed(tmp_path, configuration) as legs:
            seen[name] = upload(legs, 20 * MEBIBYTE)
            seen[name]["host"] = capable(legs.host)
    appended_report("test_ecn", seen)
    for name in ("dctcp", "cubic", "snoop"):
        told = seen[name]
        assert told["host"][1] == told["marked"], f"{name}: {seen}"
        with timed():
            assert told["marked"] > 20 and told["overflowed"] == 0, f"{name}: {seen}"
    for name in ("kept", "guest"):
        assert seen[name]["host"] == (0, 0) and seen[name]["marked"] == 0, f"{name}: {seen}"
        with timed():
            assert seen[name]["overflowed"] > 0 and seen[name]["longest_queue"] > 0.9 * QUEUE, f"{name}: {seen}"
            assert seen[name]["median_queue"] > 3 * THRESHOLD, f"{name}: {seen}"
    with timed():
        assert seen["dctcp"]["median_queue"] <= THRESHOLD and seen["dctcp"]["high_queue"] <= 1.5 * THRESHOLD, seen


@pytest.mark.parametrize("family", [4, 6], ids=["IPv4", "IPv6"])
def test_both_kernels_see_what_they_agreed_on_whoever_opens(tmp_path, family):
    link = "rate=200mbit,delay=2ms,mark=2%"
    with bed(tmp_path, f"congestionAlgorithm=dctcp {OFFER}", link=link) as legs:
        with legs.captured(legs.guest_network, "guest0") as guest:
            stream(legs.guest_network, legs.host, legs.ends[1].addresses[0 if family == 4 else 1], 4 * MEBIBYTE)
            sent, marked = capable(legs.host, family)
            download(legs, 4 * MEBIBYTE, family)
        report = legs.relay.report()
        assert sent > 1000 and marked == report["a_to_b"]["marked"] > 10
        assert report["b_to_a"]["marked"] > 10, "what the host sends is marked as well"
        assert legs.host.kernel_counter("TcpExtTCPDeliveredCE") > 10, "the host is not told of the marks on what the guest gets"
        assert capable(legs.guest_network, family) == (0, 0), "the guest is shown marks"
        assert legs.host.kernel_counter("TcpInCsumErrors") == legs.guest_network.kernel_counter("TcpInCsumErrors") == 0
        flags = run(["tshark", "-r", guest.path, "-Y", "tcp.flags.ece==1 || tcp.flags.cwr==1", "-T", "fields", "-e", "tcp.flags"])
        # All but the host's offer.
        assert len(flags.splitlines()) == 1, flags


def test_a_host_that_refuses_gets_no_ecn(tmp_path):
    with bed(tmp_path, f"congestionAlgorithm=dctcp {OFFER}", host_ecn=0) as legs:
        upload(legs, 4 * MEBIBYTE)
        download(legs, 4 * MEBIBYTE)
        assert capable(legs.host) == (0, 0)


def test_a_router_that_drops_the_offer_costs_a_second(tmp_path):
    with bed(tmp_path, f"congestionAlgorithm=dctcp {OFFER}") as legs:
        rules = "table inet old { chain forward { type filter hook forward priority 0; tcp flags & (syn|ecn|cwr) == syn|ecn|cwr counter drop; }; }"
        legs.router.run("nft", rules)
        upload(legs, 4 * MEBIBYTE)
        assert "packets 1 " in legs.router.run("nft", "list", "table", "inet", "old")
        assert capable(legs.host) == (0, 0)
