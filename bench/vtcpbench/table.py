# SPDX-License-Identifier: Apache-2.0
"""The results for people."""

_NAME = 44


def _cell(metric, spread, width):
    if spread is None:
        return "-".rjust(width)
    text = metric.show(spread.median)
    if metric.form != "{:.0f}" and spread.count > 1:
        text += f" ({metric.show(spread.minimum)}-{metric.show(spread.maximum)})"
    return text.rjust(width)


def of_part(results, part):
    """Lines: for each work a row a peer, with medians, their range, and the main metric in relation to the back-end in C."""
    lines = [f"{part.title} (median, smallest and largest of the repetitions)"]
    for work in part.works:
        head = "".join(metric.title.rjust(_width(metric)) for metric in part.metrics)
        lines += ["", f"  {work.title}".ljust(_NAME) + head + ("of C's".rjust(9) if part.compared else "")]
        for peer in part.peers:
            spreads = [results.spread(part.name, work.name, peer.name, metric.name) for metric in part.metrics]
            if all(spread is None for spread in spreads):
                lines.append(f"    {peer.label}".ljust(_NAME) + results.skipped.get(peer.name, "failed, see the samples"))
                continue
            cells = "".join(_cell(metric, spread, _width(metric)) for metric, spread in zip(part.metrics, spreads))
            ratio = results.ratio(part.name, work.name, part.main.name, peer.name, "c") if part.compared else None
            lines.append(f"    {peer.label}".ljust(_NAME) + cells + (f"{ratio.median:.2f}".rjust(9) if ratio else ""))
    return lines


def _width(metric):
    return 11 if metric.form == "{:.0f}" else 22


def of_verdicts(verdicts):
    """Lines: what is required, what was measured."""
    lines = [f"  {'Required':<76}{'ratio':>7}{'range':>16}{'':>5}{'required':>12}"]
    for verdict in verdicts:
        requirement = verdict.requirement
        ratio = "-" if verdict.ratio is None else f"{verdict.ratio.median:.2f}"
        extent = "" if verdict.ratio is None else f"{verdict.ratio.minimum:.2f}-{verdict.ratio.maximum:.2f}"
        limit = f"{'>=' if requirement.at_least else '<='} {requirement.limit:.2f}"
        lines.append(f"  {requirement.text:<76}{ratio:>7}{extent:>16}{'':>5}{limit:>12}  {verdict.word}")
    return lines
