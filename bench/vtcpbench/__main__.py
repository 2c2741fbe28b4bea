# SPDX-License-Identifier: Apache-2.0
"""Scripts/bench's second half."""

import argparse
import datetime
import json
import os
import sys

from vtcpbed import BedError, image
from vtcpbed.process import install_signal_handlers

from . import machine, metric, table
from .chart import Chart
from .guard import Guard
from .large_send import LargeSendRun
from .parts import all_parts
from .placement import Placement
from .programs import Programs
from .qemu import QemuRun
from .requirements import all_requirements
from .results import Results
from .run import Run

PARTS = (
    "tcp", "latency", "packets", "null", "hogs", "idle", "contention", "questions", "module", "sharing", "algorithms", "policy", "qemu", "large-send",
)  # fmt: skip


def arguments(words):
    parser = argparse.ArgumentParser(prog="Scripts/bench", description="Measures vtcp-nic beside its peers.")
    parser.add_argument("--quick", action="store_true", help="one repetition of short measurements: shows that it works, not who is faster")
    parser.add_argument("--only", metavar="PART,...", default=",".join(PARTS), help=f"of {', '.join(PARTS)}")
    parser.add_argument("--peers", metavar="PEER,...", help="only these, by the names that the results have (ours, c, veth, ...)")
    parser.add_argument("--works", metavar="WORK,...", help="only these, by the names that the results have (transmit-1, ...)")
    parser.add_argument("--repetitions", type=int, metavar="N", help="of everything (5)")
    parser.add_argument("--seconds", type=float, metavar="S", help="of each measurement (2)")
    parser.add_argument("--seed", type=int, default=1, help="of the order of the peers (1)")
    parser.add_argument("--placement", choices=Placement.MODES, default=Placement.MODES[0], help="of processes on processors")
    parser.add_argument("--output", metavar="FOLDER", help="for results.json and results.svg (bench in the cache)")
    parser.add_argument("--require", action="store_true", help="status 1 if a requirement that was measured is not met")
    parser.add_argument("--check-options", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(words)
    options.only = options.only.split(",")
    unknown = set(options.only) - set(PARTS)
    if unknown:
        parser.error(f"there is no part {', '.join(sorted(unknown))}: there are {', '.join(PARTS)}")
    options.repetitions = options.repetitions or (1 if options.quick else 5)
    options.seconds = options.seconds or (1.0 if options.quick else 2.0)
    options.output = options.output or os.path.join(image.CACHE, "bench")
    return options


def chosen_parts(options):
    """The parts that are asked for, with the peers and works that are."""
    parts = []
    for part in all_parts():
        if part.name in options.only:
            narrow(part, options)
            parts.append(part)
    return parts


def narrow(part, options):
    """Leaves of the part the peers and works that are asked for."""
    if options.peers:
        part.peers[:] = [peer for peer in part.peers if peer.name in options.peers.split(",")]
    if options.works:
        part.groups[:] = [[work for work in group if work.name in options.works.split(",")] for group in part.groups]
        part.groups[:] = [group for group in part.groups if group]


def measure(options):
    """The results of a run, and its parts."""
    programs = Programs()
    placement = Placement(options.placement)
    settings = {name: getattr(options, name) for name in ("repetitions", "seconds", "seed", "placement", "quick", "only")}
    settings["started"] = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    results = Results(settings, machine.describe(), programs.versions())
    parts = chosen_parts(options)
    with Guard() as guard:
        settings["huge_pages"] = guard.huge_pages
        Run(parts, results, programs, placement, options.repetitions, options.seconds, options.seed, guard.huge_pages).go()
    if "qemu" in options.only:
        run = QemuRun(results, options.repetitions, options.seed)
        run.go()
        parts.append(run.part)
    if "large-send" in options.only:
        run = LargeSendRun(results, options.repetitions, options.seconds, options.seed)
        narrow(run.part, options)
        run.go()
        parts.append(run.part)
    results.machine["load at the end"] = machine.load()
    return results, parts


def concerned(requirement, options, parts):
    """Whether a run with these options should have an answer."""
    for part in parts:
        if part.name == requirement.part and requirement.work in [work.name for work in part.works]:
            return not options.peers or {requirement.peer, requirement.other} <= {peer.name for peer in part.peers}
    return False


def report(options, results, parts):
    """Prints the tables and writes the files; returns whether every requirement that was measured is met."""
    verdicts = [one.judge(results) for one in all_requirements() if concerned(one, options, parts)]
    for part in parts:
        print("\n" + "\n".join(table.of_part(results, part)))
    if verdicts:
        print("\n" + "\n".join(table.of_verdicts(verdicts)))
    os.makedirs(options.output, exist_ok=True)
    written = {"results.json": json.dumps(results.as_dictionary(parts, verdicts), indent=1) + "\n", "results.svg": picture(results, parts)}
    for name, text in written.items():
        with open(os.path.join(options.output, name), "w") as file:
            file.write(text)
    print(f"\nAll samples and a picture: {options.output}/results.json and results.svg")
    for sample in results.samples:
        if sample.error:
            print(f"failed: {sample.part}, {sample.work}, {sample.peer}: {sample.error.splitlines()[0]}", file=sys.stderr)
    return all(verdict.met is not False for verdict in verdicts)


def picture(results, parts):
    chart = Chart(results)
    for part in parts:
        chart.add_panel(part, part.main)
        if metric.CPU_PER_GIGABYTE in part.others:
            chart.add_panel(part, metric.CPU_PER_GIGABYTE)
    return chart.svg()


def main(words):
    install_signal_handlers()
    options = arguments(words)
    if options.check_options:
        return
    try:
        results, parts = measure(options)
        met = report(options, results, parts)
    except BedError as error:
        sys.exit(f"vtcp: {error}")
    except KeyboardInterrupt:
        sys.exit("vtcp: interrupted; everything that was started is gone.")
    sys.exit(1 if options.require and not met else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
