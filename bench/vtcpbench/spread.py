# SPDX-License-Identifier: Apache-2.0
"""Several measurements of one thing."""

import dataclasses
import statistics


@dataclasses.dataclass(frozen=True)
class Spread:
    median: float
    minimum: float
    maximum: float
    count: int

    @classmethod
    def of(cls, values):
        """None of nothing."""
        return cls(statistics.median(values), min(values), max(values), len(values)) if values else None

    def as_dictionary(self):
        return dataclasses.asdict(self)
