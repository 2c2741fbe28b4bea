# SPDX-License-Identifier: Apache-2.0
"""Ways to the network other than the TAP that the other tests use."""

import pytest
from conftest import started_machine
from vtcpbed import Direction, Transfer, iperf3, ping
from vtcpbed.traffic import MEBIBYTE

pytestmark = pytest.mark.nic


@pytest.fixture(scope="module", params=["split", "packed"])
def machine(request):
    with started_machine(uplink="packet", packed=request.param == "packed") as machine:
        yield machine


@pytest.mark.parametrize("family", [4, 6], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("direction", list(Direction), ids=["transmit", "receive"])
def test_a_file_arrives_unchanged_through_a_packet_socket(machine, direction, family):
    assert ping(machine.guest, machine.network.addresses.host(family)) == 3, "pings were lost"
    Transfer(machine.guest, direction, 48 * MEBIBYTE, family).finish()


@pytest.mark.parametrize("direction", list(Direction), ids=["transmit", "receive"])
def test_iperf3_flows_through_a_packet_socket(machine, direction):
    result = iperf3(machine.guest, direction)
    assert result.bits_per_second > 50e6, f"{direction}: only {result}"
