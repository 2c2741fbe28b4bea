# SPDX-License-Identifier: Apache-2.0
"""Two guests, each on a NIC of its own, behind one bridge: what one sends with offloads, the other receives with offloads.

Also the place for VLANs: both ends of a tagged connection are guests, because not every host kernel has 802.1Q; and for two vTCP modules on one
path, each of which has the other one's segments for those of an ordinary end.
"""

import contextlib

import pytest
from conftest import on_tap
from vtcpbed import NIC, Guest, Network, TapDevice, ping
from vtcpbed.traffic import SOURCE_SIZE, prepare_source

PORT = 7000
TIMES = 3


@pytest.fixture(scope="module", params=["off", pytest.param("early,always", marks=pytest.mark.nic)])
def guests(request):
    """One on QEMU 10 with split rings, one on QEMU 7.2 with packed rings."""
    with Network() as network, contextlib.ExitStack() as stack:
        bridge = network.add_bridge()
        pair = []
        nics = []
        for index, (qemu, packed) in enumerate([("10", False), ("7.2", True)]):
            tap = network.add_tap(f"tap{index}", bridge=bridge)
            if on_tap:
                device = TapDevice(tap)
            else:
                nics.append(stack.enter_context(NIC(network, f"tap:{tap}", name=f"nic{index}", options=[f"--vtcp={request.param}"])))
                device = nics[-1].device()
            pair.append(stack.enter_context(Guest(network, device, index=index, qemu=qemu, packed=packed)))
        for guest in pair:
            guest.sh(
                "ip link add link eth0 name vlan7 type vlan id 7 && ip link set vlan7 up && "
                f"ip address add 10.78.0.{2 + guest.index}/24 dev vlan7 && ip address add fd78::{2 + guest.index}/64 dev vlan7"
            )
        yield pair
        if request.param != "off":
            # The sender's and the receiver's, in each test.
            early = [sum(row.get("early-octets", 0) for row in nic.counters()) for nic in nics]
            assert min(early) > TIMES * SOURCE_SIZE / 2


def frames_of(guest):
    """How many frames of the guest's side have come to the bridge."""
    return guest.network.counters(f"tap{guest.index}")["rx"]["packets"]


def send_source(sender, receiver, address, times):
    """The digest of what arrives when the sender's random file goes over one connection `times` times."""
    listen = f"socat -u -b 65536 TCP{6 if ':' in address else 4}-LISTEN:{PORT},reuseaddr STDOUT | sha256sum >/tmp/digest"
    job = receiver.start(listen)
    receiver.sh(f"until ss -Hltn 'sport = {PORT}' | grep -q . ; do sleep 0.02; done", 20)
    target = f"TCP6:[{address}]" if ":" in address else f"TCP4:{address}"
    sender.sh(f"cat {'/tmp/source ' * times} | socat -u -b 65536 STDIN {target}:{PORT}", 120)
    return receiver.sh(f"while kill -0 {job} 2>/dev/null; do sleep 0.02; done; cat /tmp/digest", 120).split()[0]


@pytest.mark.parametrize("network", ["10.77.0.", "fd77::", "10.78.0.", "fd78::"], ids=["IPv4", "IPv6", "VLAN-IPv4", "VLAN-IPv6"])
@pytest.mark.parametrize("forward", [True, False], ids=["first-to-second", "second-to-first"])
def test_a_file_arrives_unchanged_at_the_other_guest(guests, network, forward):
    sender, receiver = guests if forward else reversed(guests)
    address = f"{network}{2 + receiver.index}"
    assert ping(sender, address) == 3, f"pings to {address} were lost"
    expected = prepare_source(sender, TIMES)
    before = frames_of(receiver)
    arrived = send_source(sender, receiver, address, TIMES)
    assert arrived == expected, f"{TIMES * SOURCE_SIZE} bytes changed on the way to {address}"
    # What only acknowledges is not answered, by whomever: at the most one frame for two segments.
    assert frames_of(receiver) - before < TIMES * SOURCE_SIZE / 2000
