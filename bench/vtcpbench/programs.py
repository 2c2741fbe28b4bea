# SPDX-License-Identifier: Apache-2.0
"""Where the programs are that are measured or measure."""

import glob
import os
import shutil

from vtcpbed import image
from vtcpbed.process import run

from .errors import BenchError

_BENCH = os.path.join(image.REPOSITORY, "bench")


class Programs:
    """Paths and versions. VTCP_REFERENCE names a build of the back-end in C."""

    def __init__(self):
        self.nic = image.nic()
        self.bench = image.bench()
        self.reference = _reference()
        self.testpmd = shutil.which("dpdk-testpmd")
        passt = os.path.join(image.CACHE, "passt", "passt")
        self.passt = passt if os.path.exists(passt) else None

    def versions(self):
        """{program: version}, as each tells it."""
        found = {
            "vtcp-nic": _first_line([self.nic, "--version"]),
            "commit": _first_line(["git", "-C", image.REPOSITORY, "describe", "--always", "--dirty"]),
            "iperf3": _first_line(["iperf3", "--version"]),
        }
        if self.testpmd is not None:
            # No option tells it: it is in the name of a library.
            text = run(["sh", "-c", f"dpkg-query -W -f '${{Version}}' dpdk-dev 2>/dev/null || ldd {self.testpmd}"], check=False)
            found["dpdk"] = text.strip().splitlines()[0] if text.strip() else "unknown"
        if self.passt is not None:
            with open(os.path.join(os.path.dirname(self.passt), "version")) as file:
                found["passt"] = file.read().strip()
        return found


def _first_line(command):
    try:
        lines = run(command, check=False).strip().splitlines()
    except OSError:
        return "unknown"
    return lines[0] if lines else "unknown"


def _reference():
    """The back-end in C, compiled if its source is newer than the program."""
    named = os.environ.get("VTCP_REFERENCE")
    if named:
        return named
    sources = sorted(glob.glob(os.path.join(_BENCH, "reference", "*.c")))
    if not sources:
        raise BenchError(f"there is no C source in {_BENCH}/reference")
    program = os.path.join(image.CACHE, "reference")
    newest = max(os.path.getmtime(source) for source in sources)
    if not os.path.exists(program) or os.path.getmtime(program) < newest:
        compiler = shutil.which("cc") or shutil.which("clang")
        if compiler is None:
            raise BenchError("there is no C compiler: install gcc")
        os.makedirs(image.CACHE, exist_ok=True)
        # A name of its own first: two runs may compile at the same time.
        fresh = f"{program}.{os.getpid()}"
        run([compiler, "-std=gnu11", "-O2", "-Wall", "-Wextra", "-o", fresh, *sources], seconds=120)
        os.replace(fresh, program)
    return program
