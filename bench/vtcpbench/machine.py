# SPDX-License-Identifier: Apache-2.0
"""What the results were measured on."""

import os
import platform


def _value(path, name):
    """The value of the first `name : value` line of a file."""
    try:
        with open(path) as file:
            return next((line.partition(":")[2].strip() for line in file if line.startswith(name)), "unknown")
    except OSError:
        return "unknown"


def describe():
    """The machine as a dictionary, without its name or address."""
    with open("/etc/os-release") as file:
        system = next((line.partition("=")[2].strip().strip('"') for line in file if line.startswith("PRETTY_NAME")), "unknown")
    return {
        "processor": _value("/proc/cpuinfo", "model name"),
        "processors": len(os.sched_getaffinity(0)),
        "memory": _value("/proc/meminfo", "MemTotal"),
        "kernel": platform.release(),
        "system": system,
        "load at the start": load(),
    }


def load():
    """How many processes wanted to run, on average over 1, 5 and 15 minutes."""
    return [round(average, 2) for average in os.getloadavg()]
