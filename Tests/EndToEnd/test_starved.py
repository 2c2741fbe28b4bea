# SPDX-License-Identifier: Apache-2.0
"""A guest that runs for a third of the time only, with the vTCP module off and on: part of what Scripts/demo shows."""

import statistics

import pytest
from vtcpbed import Direction
from vtcpbed.gain import MODES, STARVED, Bed, table
from vtcpbed.lateness import timed

pytestmark = [pytest.mark.nic, pytest.mark.by_the_clock]


def test_the_sender_on_a_starved_guest_is_rid_of_its_data_three_times_as_early_and_all_of_them_arrive(start_machine):
    machine = start_machine()
    with Bed(machine.nic, machine.guest) as bed:
        # Compares the digests.
        leg = bed.measure(STARVED, Direction.TRANSMIT, 1_000_000, 5)
    # Without the module each of its round trips waits for the guest: six or seven of them, until the window is large enough. With it a
    # transfer is over in the turn in which it began, or seldom in the next one. So it is ten times as early, but for what this machine does.
    off, on = (statistics.median(leg.timings[mode].acknowledged) for mode in MODES)
    with timed():
        assert 3 * on < off, "\n".join([*table([leg]), str(leg.timings)])
