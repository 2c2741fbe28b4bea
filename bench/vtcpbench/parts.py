# SPDX-License-Identifier: Apache-2.0
"""What the bench measures, by part."""

from . import metric
from .part import Part
from .peers import Changed, Passt, Reference, Ruled, Testpmd, TwoPorts, Veth, VtcpNIC
from .work import Alternation, Bulk, Idle, Packets, Questions, RoundTrip, Share, Stream, Transfer


def all_parts():
    """In the order in which they are run and shown. What is ours comes first in each, and the back-end in C second."""
    ours = VtcpNIC("ours", "vtcp-nic")
    adaptive = VtcpNIC("ours-adaptive", "vtcp-nic, adaptive polling", poll="adaptive")
    tap_peers = [ours, Reference(), adaptive, Testpmd("dpdk-tap", "DPDK, vhost and net_tap"), TwoPorts(), Passt()]
    return [
        Part(
            "tcp",
            "TCP through the peer, iperf3",
            [*tap_peers, Veth()],
            [[Stream(direction, flows) for direction in ("transmit", "receive", "both")] for flows in (1, 8)],
            metric.GIGABITS,
            (metric.CPU_PER_GIGABYTE, metric.FRONT_END_CPU, metric.WAKEUPS),
        ),
        Part(
            "latency",
            "TCP request and response",
            [*tap_peers, Veth()],
            [[RoundTrip()]],
            metric.P50,
            (metric.P99, metric.CPU_PERCENT, metric.WAKEUPS),
        ),
        Part(
            "packets",
            "Packets through the uplink",
            [
                VtcpNIC("ours", "vtcp-nic, TAP"),
                Reference(label="C back-end, TAP"),
                VtcpNIC("ours-packet", "vtcp-nic, packet socket", uplink="packet"),
                Testpmd("dpdk-tap", "DPDK, net_tap"),
            ],
            [[Packets("transmit", 60)], [Packets("receive", 60)]],
            metric.PACKETS,
            (metric.CPU_PER_PACKET, metric.CPU_PERCENT),
        ),
        _null("null", "Packets to nowhere", 0),
        _null("hogs", "Packets to nowhere, three CPU hogs beside", 3),
        Part(
            "idle",
            "Start and rest",
            tap_peers,
            [[Idle()]],
            metric.START_UP,
            (metric.IDLE_WAKEUPS, metric.IDLE_CPU, metric.RSS_ANONYMOUS, metric.RSS_FILE, metric.RSS_SHARED, metric.HUGE_PAGES),
            compared=False,
        ),
        _contention(),
        Part(
            "questions",
            "Questions beside a bulk transfer",
            _module_peers(),
            [[Questions(direction, "delay=2ms,rate=50mbit,queue=30000")] for direction in ("transmit", "receive")],
            metric.P50,
            (metric.P99,),
            compared=False,
        ),
        Part(
            "module",
            "TCP through the vTCP module, iperf3",
            [*_module_peers(), VtcpNIC("ours-always", "vtcp-nic, early acknowledgment always", module="early,always")],
            [[Stream(direction, flows) for direction in ("transmit", "receive", "both")] for flows in (1, 8)],
            metric.GIGABITS,
            (metric.CPU_PER_GIGABYTE, metric.FRONT_END_CPU, metric.WAKEUPS),
            compared=False,
        ),
        Part(
            "sharing",
            "A link shared with another guest's CUBIC",
            _module_peers(),
            [[Share("delay=10ms,jitter=500us,rate=50mbit,queue=125000")]],
            metric.SHARE,
            (metric.MEGABITS,),
            compared=False,
        ),
        Part(
            "algorithms",
            "Policy's congestion control instead of the guest's",
            [
                VtcpNIC("ours", "vtcp-nic, module off"),
                Ruled("ours-cubic", "vtcp-nic, policy: CUBIC", "mode=early congestionAlgorithm=cubic"),
                Ruled("ours-bbr", "vtcp-nic, policy: BBR", "mode=early congestionAlgorithm=bbr"),
            ],
            [[Bulk("delay=20ms,loss=1%,rate=100mbit,queue=500000")]],
            metric.MEGABITS,
            (),
            compared=False,
        ),
        Part(
            "policy",
            "TCP while policy changes for others",
            [
                VtcpNIC("ours-always", "vtcp-nic, early acknowledgment always", module="early,always"),
                Changed("ours-changed", "the same, twenty other policies a second", module="early,always"),
            ],
            [
                [Alternation(direction, flows, "delay=5ms,rate=200mbit,queue=500000") for direction in ("transmit", "receive") for flows in (1, 4)],
                [Alternation(direction, flows) for direction in ("transmit", "receive") for flows in (1, 4)],
            ],
            metric.GIGABITS,
            (metric.CHANGED, metric.FLUCTUATION),
            compared=False,
        ),
    ]


def _module_peers():
    return [
        VtcpNIC("ours", "vtcp-nic, module off"),
        VtcpNIC("ours-early", "vtcp-nic, early acknowledgment", module="early"),
        VtcpNIC("ours-snoop", "vtcp-nic, local recovery", module="snoop"),
    ]


def _contention():
    """Sizes, round trips and numbers of VMs are those for which gains are promised; a lone VM shows what is lost where nothing can be gained."""
    works = [
        Transfer("transmit", 100_000, 2, 3),
        Transfer("transmit", 100_000, 2, 5),
        Transfer("transmit", 1_000_000, 10, 5),
        Transfer("receive", 100_000, 0.2, 3),
        Transfer("receive", 100_000, 2, 3),
        Transfer("receive", 1_000_000, 10, 3),
        Transfer("transmit", 1_000_000, 20, 3, loss="1%"),
        Transfer("receive", 1_000_000, 20, 3, loss="1%"),
        Transfer("transmit", 100_000, 2, 3, keeps_window=True),
        Transfer("transmit", 1_000_000, 10, 5, keeps_window=True),
        Transfer("transmit", 1_000_000, 10, 1),
        Transfer("receive", 1_000_000, 10, 1),
    ]
    groups = [[work] for work in works]
    return Part("contention", "Transfers of a guest that waits for a processor", _module_peers(), groups, metric.FINISH, (metric.ACKNOWLEDGED, metric.DISTURBED), compared=False)


def _null(name, title, hogs):
    peers = [
        VtcpNIC("ours", "vtcp-nic", uplink="null"),
        VtcpNIC("ours-adaptive", "vtcp-nic, adaptive polling", uplink="null", poll="adaptive"),
        Reference(label="C back-end", uplink="null"),
        Testpmd("dpdk", "DPDK vhost, rxonly", uplink="null"),
    ]
    works = [Packets("transmit", size, hogs, poll) for poll in (False, True) for size in (64, 1500)]
    return Part(name, title, peers, [works], metric.PACKETS, (metric.CPU_PER_PACKET, metric.CPU_PERCENT))
