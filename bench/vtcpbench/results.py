# SPDX-License-Identifier: Apache-2.0
"""What was measured, and what follows from it."""

from .spread import Spread


class Results:
    """All samples of a run."""

    def __init__(self, settings, machine, versions):
        self.settings = settings
        self.machine = machine
        self.versions = versions
        self.samples = []
        self.skipped = {}

    def add(self, sample):
        self.samples.append(sample)

    def _values(self, part, work, peer, metric):
        """{repetition: value}"""
        return {
            sample.repetition: sample.values[metric]
            for sample in self.samples
            if (sample.part, sample.work, sample.peer) == (part, work, peer) and metric in sample.values
        }

    def spread(self, part, work, peer, metric):
        return Spread.of(list(self._values(part, work, peer, metric).values()))

    def ratio(self, part, work, metric, peer, other, other_part=None):
        """Of the peer's value to the other's, in each repetition; then their spread. None if there is no repetition with both."""
        mine = self._values(part, work, peer, metric)
        theirs = self._values(other_part or part, work, other, metric)
        return Spread.of([mine[number] / theirs[number] for number in mine if theirs.get(number)])

    def as_dictionary(self, parts, verdicts):
        summary = []
        for part in parts:
            for work in part.works:
                for peer in part.peers:
                    metrics = {name for sample in self.samples for name in sample.values if sample.part == part.name}
                    for name in sorted(metrics):
                        spread = self.spread(part.name, work.name, peer.name, name)
                        if spread is not None:
                            row = {"part": part.name, "work": work.name, "peer": peer.name, "metric": name}
                            summary.append(row | spread.as_dictionary() | self._ratios(part, work, peer, name))
        return {
            "settings": self.settings,
            "machine": self.machine,
            "versions": self.versions,
            "skipped": self.skipped,
            "requirements": [verdict.as_dictionary() for verdict in verdicts],
            "summary": summary,
            "samples": [sample.as_dictionary() for sample in self.samples],
        }

    def _ratios(self, part, work, peer, metric):
        """The value's ratio to ours and to the back-end in C, where it is not one of them."""
        ratios = {}
        for other in ("ours", "c"):
            ratio = self.ratio(part.name, work.name, metric, peer.name, other) if other != peer.name else None
            if ratio is not None:
                ratios[f"ratio_to_{other}"] = ratio.as_dictionary()
        return ratios
