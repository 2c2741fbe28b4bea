# SPDX-License-Identifier: Apache-2.0
"""What the project measures itself by."""

import dataclasses

from .verdict import Verdict


@dataclasses.dataclass(frozen=True)
class Requirement:
    """Our value of a metric in relation to a peer's: at least, or at most, `limit` times it."""

    text: str
    part: str
    work: str
    metric: str
    other: str
    limit: float
    at_least: bool = True
    peer: str = "ours"

    def judge(self, results):
        """The median of the repetitions' ratios decides. Without a ratio nothing is decided."""
        ratio = results.ratio(self.part, self.work, self.metric, self.peer, self.other)
        met = None
        if ratio is not None:
            met = ratio.median >= self.limit if self.at_least else ratio.median <= self.limit
        return Verdict(self, ratio, met)
