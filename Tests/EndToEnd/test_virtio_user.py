# SPDX-License-Identifier: Apache-2.0
"""A front-end and a driver that are neither QEMU's nor Linux's: DPDK's virtio-user, in testpmd.

The far end of the cable is a TAP with this machine's stack. testpmd sends back what it gets, so each test sees both directions, and compares
octets. One testpmd serves many devices, one after the other; it takes a processor while it forwards.
"""

import contextlib
import itertools
import os
import re
import signal

import pytest
from vtcpbed import NIC, BedError, Network
from vtcpbed.frames import Wire
from vtcpbed.process import wait_until
from vtcpbed.stack import ping, stream
from vtcpbed.testpmd import Testpmd

pytestmark = pytest.mark.nic

NAME = "net_virtio_user0"
MAC = "52:54:00:77:00:02"
ADDRESS = "10.77.0.2"
QUEUES = 4

both_rings = pytest.mark.parametrize("packed", [0, 1], ids=["split", "packed"])
both_ways = pytest.mark.parametrize("server", [0, 1], ids=["client", "server"])


def has_avx512():
    with open("/proc/cpuinfo") as file:
        return re.search(r"\bavx512f\b", file.read()) is not None


class Bench:
    """Two vtcp-nics, one that listens and one that connects, and one testpmd for both."""

    def __init__(self, testpmd_options=()):
        self._stack = contextlib.ExitStack()
        self.near = self._stack.enter_context(Network())
        self.far = [self._stack.enter_context(Network()) for _ in range(2)]
        self.taps = [network.add_tap(queues=QUEUES) for network in self.far]
        self.nics = [
            self._stack.enter_context(NIC(network, f"tap:{tap}", QUEUES, connect=connect))
            for network, tap, connect in zip(self.far, self.taps, [False, True])
        ]
        self.wires = [self._stack.enter_context(Wire(network, tap)) for network, tap in zip(self.far, self.taps)]
        self._options = testpmd_options
        self._testpmd = None

    @property
    def testpmd(self):
        if self._testpmd is None:
            # DPDK uses AVX-512 on request only.
            self._testpmd = Testpmd(self.near, eal=["--force-max-simd-bitwidth=512"], **dict(self._options))
        return self._testpmd

    def close(self):
        try:
            if self._testpmd is not None:
                self._testpmd.close()
            for nic in self.nics:
                assert not nic.process.ended(), f"vtcp-nic has ended\n{nic.process.log_tail()}"
                assert nic.stop() == 0, f"vtcp-nic did not end in order\n{nic.process.log_tail()}"
        finally:
            self._stack.close()

    def new_testpmd(self, number=signal.SIGKILL):
        """Ends testpmd; the next use starts another."""
        if self._testpmd is not None:
            if number == signal.SIGKILL:
                self._testpmd.kill()
            else:
                self._testpmd.close()
            self._testpmd = None
            # A device that was not closed leaves its socket behind, and the next one would refuse the name.
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.nics[1].socket)

    def wait_connected(self, server):
        """Waits until the NIC serves its front-end again: the last ring has been enabled."""
        nic = self.nics[server]

        def is_connected():
            said = [line for line in nic.process.log().splitlines() if "front-end" in line]
            return said and said[-1].endswith("a front-end has connected")

        wait_until(is_connected, 10, "a front-end", nic.process)

    def attach(self, server=0, **arguments):
        """A virtio-user device; the number of its port."""
        path = self.nics[server].socket
        words = {"path": path, "server": server, **arguments}
        return self.testpmd.attach(",".join([NAME, *(f"{name}={value}" for name, value in words.items())]))

    @contextlib.contextmanager
    def device(self, server=0, queues=1, mode="macswap", configure=(), **arguments):
        """A running virtio-user device with testpmd forwarding; what testpmd said at its start is yielded."""
        nic = self.nics[server]
        try:
            port = self.attach(server, queues=queues, **arguments)
            # What finds a full ring is dropped otherwise, as soon as vtcp-nic has to wait for a processor.
            forward = ["set fwd macswap retry", "set burst tx delay 20 retry 50000"] if mode == "macswap" else [f"set fwd {mode}"]
            self.testpmd.commands(*forward, f"port config all rxq {queues}", f"port config all txq {queues}", *configure)
            said = self.testpmd.command(f"port start {port}")
            self.testpmd.start()
            yield said
            self.testpmd.stop()
            if arguments.get("packed_vq") or "vectorized Rx" in said:
                # DPDK 22.11 keeps what such a queue has handed out on its list of buffers and frees it with the queue; then two frames share
                # one. It does so with its own back-end too. So its next device gets a new process.
                self.new_testpmd()
            else:
                self.testpmd.detach(port, NAME)
        except BaseException as error:
            with contextlib.suppress(BedError, OSError):
                self.testpmd.stop()
                nic.counters()
            tail = self.testpmd.process.log_tail(80)
            self.new_testpmd()
            if isinstance(error, BedError):
                raise BedError(f"{error}\n{tail}\n{nic.process.log_tail()}") from None
            raise
        assert not nic.process.ended(), f"vtcp-nic has ended\n{nic.process.log_tail()}"


@pytest.fixture(scope="module")
def bench():
    bench = Bench()
    yield bench
    bench.close()


def expected_paths(packed, mrg_rxbuf, in_order, vectorized):
    """Which of the driver's functions serve a device, so that it is known what a combination tests (DPDK's set_rxtx_funcs)."""
    if packed:
        vector = vectorized and in_order and has_avx512()
        receive = "vectorized" if vector and not mrg_rxbuf else "mergeable buffer" if mrg_rxbuf else "standard"
        return f"packed ring {receive} Rx", f"packed ring {'vectorized' if vector else 'standard'} Tx"
    if in_order:
        return "inorder Rx", "inorder Tx"
    return f"{'mergeable buffer' if mrg_rxbuf else 'vectorized' if vectorized else 'standard'} Rx", "standard Tx"


def combination_id(values):
    return "-".join(name for name, value in zip(["packed", "mrg_rxbuf", "in_order", "vectorized"], values) if value) or "none"


QUEUE_OPTIONS = {"1q": (1, 0), "1q-cq": (1, 1), "2q": (2, 1), "4q": (4, 1)}


@both_ways
@pytest.mark.parametrize("queue_option", QUEUE_OPTIONS)
@pytest.mark.parametrize("features", itertools.product([0, 1], repeat=4), ids=combination_id)
def test_every_frame_comes_back_unchanged_with_each_combination_of_features(bench, features, queue_option, server):
    packed, mrg_rxbuf, in_order, vectorized = features
    queues, cq = QUEUE_OPTIONS[queue_option]
    sizes = (64, 256, 1024)
    if packed:
        # Only a packed ring may have a size that is no power of two. One size at a time, since each takes a testpmd of its own; each
        # combination of features meets each size.
        sizes = [(64, 200, 1024)[(2 * list(QUEUE_OPTIONS).index(queue_option) + server) % 3]]
    for size in sizes:
        address = {} if size == 64 else {"mac": MAC}
        arguments = {"queues": queues, "cq": cq, "queue_size": size, "packed_vq": packed, "mrg_rxbuf": mrg_rxbuf}
        with bench.device(server, in_order=in_order, vectorized=vectorized, **arguments, **address) as said:
            for path in expected_paths(*features):
                assert f"virtio: using {path} path" in said, f"not by way of \"{path}\":\n{said}"
            bench.wires[server].exchange(2 * size + 300, flows=1 if queues == 1 else 64)
            counts = bench.testpmd.stop()
            if queues > 1:
                idle = [queue for queue in range(queues) if not re.search(rf"RX Port= 0/Queue= ?{queue} ", counts)]
                assert not idle, f"nothing came by receive queues {idle}:\n{counts}"


@pytest.mark.parametrize(
    "arguments, reason",
    [
        ({"queue_size": 200}, "split virtqueue size is not power of 2"),
        ({"queues": 2, "cq": 0}, "multi-q requires ctrl-q"),
        ({"queues": 9}, "exceeds the limit 8"),
        ({"iface": "tap9"}, "applies only to vhost-kernel backend"),
        ({"speed": 1000}, "Failed to attach"),
    ],
    ids=["split-200", "2q-no-cq", "9q", "iface", "1 Gbps"],
)
def test_what_virtio_user_itself_refuses_the_nic_is_not_asked_for(bench, arguments, reason):
    with pytest.raises(BedError, match=reason):
        bench.attach(**arguments)
    log = bench.nics[0].process.log_tail(3)
    assert "refused" not in log, f"it was the NIC that refused:\n{log}"
    with bench.device():
        bench.wires[0].exchange(100)


@both_rings
@pytest.mark.parametrize("speed", [10000, 25000, 100000])
def test_a_speed_is_between_driver_and_device(bench, packed, speed):
    with bench.device(packed_vq=packed, speed=speed):
        said = bench.testpmd.command("show port info 0")
        assert f"Link speed: {speed // 1000} Gbps" in said, said
        assert "Link status: up" in said, said
        bench.wires[0].exchange(100)


@both_rings
@pytest.mark.parametrize("mrg_rxbuf", [0, 1])
@pytest.mark.parametrize("in_order", [0, 1])
def test_pings_of_the_host_are_answered_by_testpmd(bench, packed, mrg_rxbuf, in_order):
    with bench.device(mode="icmpecho", mac=MAC, packed_vq=packed, mrg_rxbuf=mrg_rxbuf, in_order=in_order):
        for size in (0, 1, 17, 18, 56, 1000, 1471, 1472):
            ping(bench.far[0], ADDRESS, size, count=3)


@both_rings
@pytest.mark.parametrize("in_order", [0, 1])
def test_jumbo_frames_come_back_unchanged_in_merged_buffers(bench, packed, in_order):
    # Buffers of 2 KiB: a frame is up to five of them each way.
    scatter = ["port config mtu 0 9000", "port config 0 rx_offload scatter on", "port config 0 tx_offload multi_segs on"]
    bench.far[0].ip("link", "set", bench.taps[0], "mtu", 9000)
    try:
        with bench.device(configure=scatter, packed_vq=packed, in_order=in_order, queue_size=1024, mac=MAC):
            bench.wires[0].exchange(800, largest=9014, window=16)
    finally:
        bench.far[0].ip("link", "set", bench.taps[0], "mtu", 1500)


@both_rings
def test_a_port_can_be_stopped_and_started_under_traffic(bench, packed):
    with bench.device(packed_vq=packed, queues=2, mac=MAC):
        for _ in range(5):
            bench.wires[0].exchange(400, flows=16)
            # What is on its way while the port stops may be lost; what is sent afterwards may not.
            bench.wires[0].send_many(100)
            bench.testpmd.commands("stop", "port stop 0")
            assert "Link status: up" in bench.testpmd.commands("port start 0", "show port info 0")
            bench.testpmd.start()
            bench.wires[0].drain(0.1)
        bench.wires[0].exchange(400, flows=16)


def test_what_the_driver_can_not_do_it_says_itself(bench):
    with bench.device(queues=2, mac=MAC):
        # The control queue is served by the front-end. The filters need features of the back-end that only a front-end could honour.
        assert "not supported" in bench.testpmd.command("set promisc 0 on")
        assert "not supported" in bench.testpmd.commands("stop", "port 0 rxq 1 stop").lower()
        bench.testpmd.start()
        bench.wires[0].exchange(200, flows=16)


@pytest.mark.parametrize("queues", [1, 4])
@both_rings
def test_a_server_is_found_again_by_a_nic_that_was_killed(bench, packed, queues):
    nic, wire = bench.nics[1], bench.wires[1]
    with bench.device(server=1, packed_vq=packed, queues=queues, mac=MAC):
        for _ in range(4):
            wire.exchange(700, flows=16)
            wire.send_many(50)
            nic.kill()
            nic.start()
            bench.wait_connected(1)
            wire.drain(0.1)
            wire.exchange(700, flows=16)
        said = bench.testpmd.process.log()
        assert said.count("server mode virtio-user reconnection succeeds!") >= 4, said[-2000:]


@both_rings
def test_a_client_whose_nic_was_killed_needs_a_new_device(bench, packed):
    nic = bench.nics[0]
    with bench.device(packed_vq=packed, mac=MAC):
        bench.wires[0].exchange(300)
        nic.restart()
        wait_until(lambda: "Link status: down" in bench.testpmd.command("show port info 0"), 5, "virtio-user sees that the NIC has gone")
        bench.new_testpmd()
        bench.attach(packed_vq=packed, mac=MAC)
        bench.testpmd.commands("port start 0", "start")
        bench.wires[0].exchange(300)


@both_ways
@both_rings
def test_a_nic_outlives_its_front_ends(bench, packed, server):
    bench.new_testpmd()
    for _ in range(4):
        bench.attach(server, packed_vq=packed, mac=MAC)
        bench.testpmd.commands("set fwd macswap", "port start 0", "start")
        bench.wires[server].exchange(300)
        bench.wires[server].send_many(50)
        # With frames under way, and without a word.
        bench.new_testpmd(signal.SIGKILL)
        bench.wires[server].drain(0.05)
    assert not bench.nics[server].process.ended()


# Between two TCP/IP stacks: TAP - vtcp-nic - virtio-user - testpmd - TAP.


@contextlib.contextmanager
def between_two_stacks(mode="io", commands=(), mtu=1500, mbuf_size=2176, **arguments):
    """A network on vtcp-nic, another on a TAP of testpmd's, and testpmd forwarding between its two ports."""
    with Network() as far, Network() as near, contextlib.ExitStack() as stack:
        tap = far.add_tap(mtu=mtu)
        nic = stack.enter_context(NIC(far, f"tap:{tap}"))
        words = {"path": nic.socket, "mac": MAC, **arguments}
        device = ",".join([NAME, *(f"{name}={value}" for name, value in words.items())])
        devices = [device, "net_tap0,iface=dtap0"]
        testpmd = stack.enter_context(
            Testpmd(near, mode, mbuf_size=mbuf_size, devices=devices, eal=["--force-max-simd-bitwidth=512"])
        )
        testpmd.commands("stop", "port stop all", *commands, "port start all")
        near.ip("link", "set", "dtap0", "mtu", mtu, "up")
        for address in near.addresses.guest_networks():
            near.ip("address", "add", address, "dev", "dtap0")
        testpmd.start()
        yield far, near, nic, testpmd
        testpmd.stop()
        testpmd.close()
        assert nic.stop() == 0, f"vtcp-nic did not end in order\n{nic.process.log_tail()}"


@pytest.mark.parametrize("family", [4, 6], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize(
    "features",
    [(0, 0, 0, 0), (0, 0, 0, 1), (0, 1, 0, 0), (0, 1, 1, 0), (1, 0, 0, 0), (1, 0, 1, 1), (1, 1, 0, 0), (1, 1, 1, 0), (1, 1, 1, 1)],
    ids=combination_id,
)
def test_connections_between_two_stacks_arrive_unchanged(features, family):
    packed, mrg_rxbuf, in_order, vectorized = features
    arguments = {"packed_vq": packed, "mrg_rxbuf": mrg_rxbuf, "in_order": in_order, "vectorized": vectorized}
    with between_two_stacks(**arguments) as (far, near, _, _):
        stream(near, far, far.addresses.host(family), 24 << 20)
        stream(far, near, near.addresses.guest(family), 24 << 20)


@both_rings
def test_segments_that_testpmd_leaves_to_the_nic_are_cut_rightly(packed):
    # What comes from the near stack in one piece of 9000 is sent with TSO to 1400, and a partial checksum.
    commands = ["port config 0 tx_offload tcp_tso on", "port config 0 tx_offload tcp_cksum on", "csum set tcp hw 0", "csum set tcp sw 1", "csum set ip sw 0", "csum mac-swap off 0", "csum mac-swap off 1", "tso set 1400 0"]
    with between_two_stacks("csum", commands, mtu=9000, mbuf_size=10240, packed_vq=packed) as (far, near, nic, testpmd):
        stream(near, far, far.addresses.host(), 24 << 20)
        counters = next(row for row in nic.counters() if "segmentationOffloads" in row)
        assert counters["segmentationOffloads"] > 1000 and counters["checksumOffloads"] > 1000, counters
        assert counters.get("badOffload", 0) == 0, counters
