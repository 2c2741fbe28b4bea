# SPDX-License-Identifier: Apache-2.0
"""The impairment relay between real kernels: a tool that tests rely on does what it is told, and no more."""

import time

import pytest
from vtcpbed import Network, image
from vtcpbed.frames import Wire, datagram, swapped
from vtcpbed.lateness import timed
from vtcpbed.process import wait_until
from vtcpbed.relay import Relay
from vtcpbed.stack import ping, stream

pytestmark = pytest.mark.nic

MEBIBYTE = 1 << 20


@pytest.fixture
def networks():
    with Network() as first, Network() as second:
        yield first, second


def snmp(network, table, name):
    """A counter of the kernel's: InCsumErrors of Tcp, InCEPkts of IpExt."""
    lines = network.run("cat", "/proc/net/snmp", "/proc/net/netstat").splitlines()
    names, values = [line.split()[1:] for line in lines if line.startswith(f"{table}:")]
    return int(values[names.index(name)])


@pytest.mark.parametrize("family", [4, 6], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize(
    ("link", "seen"),
    [
        ("", []),
        ("loss=1%", ["lost"]),
        ("bursts=0.5%/30%", ["lost_in_bursts"]),
        ("reorder=3%,reorder-by=2ms", ["reordered"]),
        ("duplicate=5%", ["duplicated"]),
        ("corrupt=1%", ["corrupted"]),
        ("rate=200mbit,queue=60000,delay=2ms", ["overflowed"]),
        ("stall=15ms/20ms", []),
        ("delay=1ms,jitter=500us,loss=0.5%,reorder=1%,duplicate=1%,corrupt=0.5%,mark=5%,bursts=0.1%/30%", ["lost", "reordered", "duplicated", "corrupted"]),
    ],
    ids=["nothing", "loss", "bursts", "reorder", "duplicate", "corrupt", "rate", "stall", "all"],
)
def test_tcp_brings_every_byte_over_an_impaired_link(networks, link, seen, family):
    first, second = networks
    with Relay(first, second, "--both", link, "--seed", "5") as relay:
        stream(first, second, first.addresses.guest(family), 8 * MEBIBYTE)
        stream(second, first, first.addresses.host(family), 8 * MEBIBYTE)
        report = relay.report()
    for name in seen:
        assert report["a_to_b"][name] > 0 and report["b_to_a"][name] > 0, report
    unwanted = {"lost", "lost_in_bursts", "overflowed", "reordered", "duplicated", "corrupted", "marked"} - set(seen)
    if "loss=0.5%" not in link:
        assert all(report[way][name] == 0 for way in ("a_to_b", "b_to_a") for name in unwanted), report
    assert report["a_to_b"]["no_room"] == report["a_to_b"]["refused"] == 0, report


def test_a_turned_bit_is_caught_by_a_checksum(networks):
    first, second = networks
    with Relay(first, second, "--a-to-b", "corrupt=5%") as relay:
        stream(first, second, first.addresses.guest(), 8 * MEBIBYTE)
        assert relay.report()["a_to_b"]["corrupted"] > 20
        errors = snmp(second, "Tcp", "InCsumErrors") + snmp(second, "Ip", "InHdrErrors")
    assert errors > 0.8 * 20, "the kernel saw no wrong checksum"


def test_congestion_marks_reach_the_receiver_and_the_sender_heeds_them(networks):
    first, second = networks
    for network in networks:
        network.sysctl("net.ipv4.tcp_ecn=1")
    with Relay(first, second, "--a-to-b", "mark=10%") as relay:
        stream(first, second, first.addresses.guest(), 8 * MEBIBYTE)
        marked = relay.report()["a_to_b"]["marked"]
    assert marked > 100
    assert snmp(second, "IpExt", "InCEPkts") == marked
    assert snmp(second, "Tcp", "InCsumErrors") == 0


@pytest.mark.by_the_clock
def test_the_delay_is_what_was_asked_for(networks):
    first, second = networks
    with Relay(first, second, "--a-to-b", "delay=20ms", "--b-to-a", "delay=10ms"):
        ping(first, first.addresses.guest(), count=2)
        times = []
        for _ in range(20):
            start = time.monotonic()
            ping(first, first.addresses.guest())
            times.append(time.monotonic() - start)
    assert 0.030 <= min(times), times
    with timed():
        assert min(times) < 0.032, times


@pytest.mark.by_the_clock
def test_a_link_that_stands_still_holds_frames_back(networks):
    first, second = networks
    with Relay(first, second, "--a-to-b", "stall=45ms/50ms"):
        ping(first, first.addresses.guest(), count=2)
        times = []
        begin = time.monotonic()
        while time.monotonic() < begin + 1:
            start = time.monotonic()
            ping(first, first.addresses.guest())
            times.append(time.monotonic() - start)
    # Pings go on while the link runs, and one waits in each period.
    with timed():
        assert max(times) < 0.1, times
        assert 10 <= sum(taken > 0.035 for taken in times) <= 20, times


def passed(networks, seed, link, count=3000):
    """What arrives of `count` numbered frames, without any other traffic, and the relay's report."""
    first, second = networks
    with Relay(first, second, "--seed", str(seed), "--a-to-b", link, addresses=False) as relay:
        with Wire(first, Relay.device) as sender, Wire(second, Relay.device) as receiver:
            for number in range(count):
                sender.send(swapped(datagram(number.to_bytes(4, "big") * 20, 1024, number)))
            wait_until(lambda: relay.report()["a_to_b"]["arrived"] == count, 10, "all frames in the relay", relay.process)
            frames = list(iter(lambda: receiver.receive(0.2), None))
            return sorted(frames), relay.report()["a_to_b"]


def test_the_same_seed_loses_doubles_and_damages_the_same_frames(networks):
    link = "loss=10%,bursts=1%/20%,duplicate=5%,corrupt=5%,reorder=5%"
    frames, report = passed(networks, 7, link)
    again, report_again = passed(networks, 7, link)
    other, _ = passed(networks, 8, link)
    assert frames == again and report == report_again
    assert frames != other
    assert report["sent"] == 3000 - report["lost"] - report["lost_in_bursts"] + report["duplicated"]


@pytest.mark.parametrize("part", [0.01, 0.2])
def test_losses_are_as_frequent_as_was_asked_for(networks, part):
    count = 3000
    frames, report = passed(networks, 11, f"loss={part}", count)
    assert len(frames) == count - report["lost"]
    assert abs(report["lost"] - part * count) <= 4 * (count * part * (1 - part)) ** 0.5, report


def test_frames_with_work_left_to_do_are_completed_before_they_are_impaired(networks):
    """Between packet sockets on veth pairs, whose kernels leave checksums and segmentation to the interface."""
    first, second = networks
    with Network() as home:
        for name, network, net in (("a0", first, first.addresses.host_networks[0]), ("b0", second, second.addresses.guest_networks()[0])):
            home.ip("link", "add", name, "type", "veth", "peer", "name", f"peer-{name}")
            home.ip("link", "set", f"peer-{name}", "netns", network.holder_pid, "name", "link0")
            home.sysctl(f"net.ipv6.conf.{name}.disable_ipv6=1")
            home.ip("link", "set", name, "up")
            network.ip("address", "add", net, "dev", "link0")
            network.ip("link", "set", "link0", "up")
        relay = home.start("relay", [image.relay(), "--a", "packet:a0", "--b", "packet:b0", "--both", "corrupt=0.5%,loss=0.5%"])
        wait_until(lambda: "relaying" in relay.log(), 10, "the relay", relay)
        stream(first, second, first.addresses.guest(), 8 * MEBIBYTE)
        stream(second, first, first.addresses.host(), 8 * MEBIBYTE)
        received = first.counters("link0")["rx"]
        assert relay.stop() == 0, relay.log_tail()
    assert received["bytes"] / received["packets"] < 1515, "large frames came through whole"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "--a is missing"),
        (["--a", "tap:x"], "--b is missing"),
        (["--a", "tap:x", "--b", "cable:y"], "'cable:y' is not known"),
        (["--a", "tap:x", "--b", "tap:y", "--both", "loss=2"], "--a-to-b: loss is a part"),
        (["--a", "tap:x", "--b", "tap:y", "--speed", "9"], "no option --speed"),
        (["--a", "tap:x", "--b", "tap:y", "--seed", "-1"], "--seed is a number"),
        (["--a", "tap:x", "--b"], "--b needs a value"),
        (["--a", "tap:x", "--b", "packet:no-such"], "no interface no-such"),
    ],
)
def test_a_mistake_on_the_command_line_is_told_in_a_sentence(networks, words, sentence):
    process = networks[0].start("relay", [image.relay(), *words])
    assert process.wait(5) == (1 if "no-such" in sentence else 2)
    assert sentence in process.log()


def test_help_names_every_impairment(networks):
    process = networks[0].start("relay", [image.relay(), "--help"])
    assert process.wait(5) == 0
    for word in "delay jitter rate queue loss bursts reorder duplicate corrupt mark mark-above stall".split():
        assert f" {word}=" in process.log()
