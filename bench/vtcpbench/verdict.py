# SPDX-License-Identifier: Apache-2.0
"""Whether a requirement is met."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Verdict:
    """`ratio` is the Spread of the repetitions' ratios; None, as `met`, if it was not measured."""

    requirement: "Requirement"
    ratio: object
    met: bool | None

    @property
    def word(self):
        return {True: "ok", False: "not ok", None: "not measured"}[self.met]

    def as_dictionary(self):
        ratio = None if self.ratio is None else self.ratio.as_dictionary()
        return dataclasses.asdict(self.requirement) | {"ratio": ratio, "met": self.met}
