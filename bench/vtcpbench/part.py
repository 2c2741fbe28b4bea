# SPDX-License-Identifier: Apache-2.0
"""A kind of work with the peers that can do it."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Part:
    """`groups`: works that are done one after the other in one session with one peer. `main`: the metric that is shown first and drawn, with
    its unit and how to print it; `others` likewise."""

    name: str
    title: str
    peers: list
    groups: list
    main: "Metric"
    others: tuple = ()

    @property
    def works(self):
        return [work for group in self.groups for work in group]

    @property
    def metrics(self):
        return (self.main, *self.others)
