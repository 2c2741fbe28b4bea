# SPDX-License-Identifier: Apache-2.0
"""What can go wrong with one measurement without ending the run."""

import subprocess

from vtcpbed import BedError


class BenchError(BedError):
    """One measurement did not work; the text says why. It is noted in the results, and the run goes on."""


# What a cell may raise: a peer that fails is a result, not the end of the run.
CELL_ERRORS = (BedError, OSError, subprocess.SubprocessError)
