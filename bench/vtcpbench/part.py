# SPDX-License-Identifier: Apache-2.0
"""A kind of work with the peers that can do it."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Part:
    """`groups`: works that are done one after the other in one session with one peer. `main`: the metric that is shown first, drawn, and, if
    `compared`, put in relation to the C back-end's; `others` are shown beside it."""

    name: str
    title: str
    peers: list
    groups: list
    main: "Metric"
    others: tuple = ()
    compared: bool = True

    @property
    def works(self):
        return [work for group in self.groups for work in group]

    @property
    def metrics(self):
        return (self.main, *self.others)
