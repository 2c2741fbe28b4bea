# SPDX-License-Identifier: Apache-2.0
"""Compares instruction counts with those in the tree, or writes them there. Called by Scripts/instructions."""

import pathlib
import sys

# By how much a scenario may exceed what the file says. The counts are exact; this is room for changes that are worth it.
TOLERANCE = 0.03
# Another compiler makes other code: then only what is far off is told.
FOREIGN_TOLERANCE = 0.25

HEAD = """\
# Instructions that one frame costs in the datapath, system calls not counted. Scripts/instructions compares with this
# file and fails if a scenario takes {percent:.0f} % more; Scripts/instructions --update writes it.
# 64 and 1500: bytes of a frame; 64K: a TCP frame of 64 KiB to be segmented. module: the vTCP module alone, for a segment of
# 1448 octets that the guest sends, its acknowledgment, and what the turn costs by itself.
# {compiler}
"""


def parts(folder):
    """What callgrind collected, in the order of the parts."""
    with open(folder / "counts", encoding="utf-8") as counts:
        return [int(line.split()[1]) for line in counts if line.startswith("totals:")]


def measured(folder):
    """Title: instructions for each frame, from the runs with some frames and with twice as many."""
    titles = (folder / "titles").read_text(encoding="utf-8").splitlines()
    totals = parts(folder)
    # The program's end is a last part.
    if len(totals) not in (len(titles), len(titles) + 1):
        raise SystemExit(f"vtcp: callgrind wrote {len(totals)} parts for {len(titles)} measurements.")
    runs = {}
    for line, total in zip(titles, totals):
        title, frames = line.rsplit(" ", 1)
        if int(frames) > 0:
            runs.setdefault(title, []).append((int(frames), total))
    result = {}
    for title, ((few, less), (many, more)) in runs.items():
        result[title] = (more - less) / (many - few)
        if result[title] <= 0:
            raise SystemExit(f"vtcp: {title}: nothing was counted.")
    return result


def known(file):
    compiler, counts = "", {}
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.startswith("# Swift"):
            compiler = line[2:]
        elif line and not line.startswith("#"):
            title, count = line.rsplit(None, 1)
            counts[" ".join(title.split())] = int(count)
    return compiler, counts


def row(title, *columns):
    form, size, direction, way = title.split()
    return f"{form:7}{size:>5}  {direction:9}{way:9}" + "".join(f"{column:>10}" for column in columns)


def main():
    folder, file = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    compiler, counts = sys.argv[3], measured(folder)
    if "--update" in sys.argv:
        lines = [row(title, round(count)) for title, count in counts.items()]
        file.write_text(HEAD.format(compiler=compiler, percent=100 * TOLERANCE) + "\n".join(lines) + "\n", encoding="utf-8")
    known_compiler, limits = known(file)
    tolerance = TOLERANCE if known_compiler == compiler else FOREIGN_TOLERANCE
    if known_compiler != compiler:
        print(f"{file} is of {known_compiler}, this is {compiler}: {100 * tolerance:.0f} % more are allowed.")
    failed = set(counts) ^ set(limits)
    for title in sorted(failed):
        print(f"{title}: in {file} or measured, but not both")
    print(row("format size direction way", "counted", "known", "change"))
    fewer = False
    for title, count in counts.items():
        limit = limits.get(title)
        if not limit:
            continue
        print(row(title, round(count), limit, f"{100 * (count / limit - 1):+.1f} %"))
        if count > limit * (1 + tolerance):
            failed.add(title)
        fewer = fewer or count < limit * (1 - tolerance)
    if failed:
        raise SystemExit(f"vtcp: more instructions for a frame than {file} allows: {', '.join(sorted(failed))}.")
    if fewer:
        print("Fewer than before: keep it so with Scripts/instructions --update.")


main()
