# SPDX-License-Identifier: Apache-2.0
"""One measurement."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Sample:
    """Of one piece of work with one peer in one repetition; `error` instead of values if it did not work. `position`: when in the run."""

    part: str
    work: str
    peer: str
    repetition: int
    position: int
    values: dict
    error: str | None = None

    def as_dictionary(self):
        return {name: value for name, value in dataclasses.asdict(self).items() if value is not None}
