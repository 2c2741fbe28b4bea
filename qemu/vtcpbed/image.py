# SPDX-License-Identifier: Apache-2.0
"""Where the programs under test and the guest's files are; what is missing is made by the scripts beside this package."""

import atexit
import collections
import functools
import glob
import hashlib
import os
import re
import shutil

from .process import BedError, run, scratch_folder

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
CACHE = os.environ.get("VTCP_CACHE") or os.path.join(REPOSITORY, ".cache")

GuestFiles = collections.namedtuple("GuestFiles", ["kernel", "initramfs"])


@functools.cache
def guest(kernel="6.1"):
    """The guest's kernel and initramfs, built on first use, and when they were made by another recipe than that of now."""
    folder = os.path.join(CACHE, f"guest-{kernel}")
    files = GuestFiles(os.path.join(folder, "vmlinuz"), os.path.join(folder, "initramfs"))
    if not all(os.path.exists(file) for file in files) or _recipe_of(folder) != _recipe():
        run([os.path.join(REPOSITORY, "qemu", "build-guest-image"), "--kernel", kernel, folder], seconds=300)
    return files


def _recipe():
    """As build-guest-image calculates it."""
    digest = hashlib.sha256()
    for name in ("build-guest-image", "guest/init", "guest/agent", "guest-lso/Kbuild", "guest-lso/vtcp_lso.c"):
        with open(os.path.join(REPOSITORY, "qemu", name), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def _recipe_of(folder):
    try:
        with open(os.path.join(folder, "recipe")) as file:
            return file.read().strip()
    except OSError:
        return None


@functools.cache
def qemu(version="10"):
    """The path of QEMU 10 (unpacked from backports on first use) or of the installed 7.2."""
    if version == "10":
        folder = os.path.join(CACHE, "qemu10")
        program = os.path.join(folder, "qemu-system-x86_64")
        if not os.path.exists(program):
            run([os.path.join(REPOSITORY, "qemu", "fetch-qemu10"), folder], seconds=300)
        return program
    program = shutil.which("qemu-system-x86_64")
    found = program and re.search(r"version (\d+\.\d+)", run([program, "--version"]))
    if not found or found[1] != version:
        raise BedError(f"the QEMU that is installed is {found[1] if found else 'none'}, not {version}")
    return program


@functools.cache
def libvirt11():
    """The folder with the files of libvirt 11 (unpacked from backports on first use), as they lie below /."""
    folder = os.path.join(CACHE, "libvirt11")
    if not os.path.exists(os.path.join(folder, "tree")):
        run([os.path.join(REPOSITORY, "qemu", "fetch-libvirt11"), folder], seconds=300)
    return os.path.join(folder, "tree")


@functools.cache
def compiled(name, *sources):
    """The path of a C program of the folder bench, made here without libraries, so that it runs in guests too."""
    folder = scratch_folder(name)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = os.path.join(folder, name)
    files = sorted(file for source in sources for file in glob.glob(os.path.join(REPOSITORY, "bench", source)))
    # Swift's toolchain has a clang.
    compiler = shutil.which("cc") or "clang"
    run([compiler, "-O2", "-static", "-Wall", "-Wextra", "-Werror", "-o", path, *files])
    return path


def _built(name, variable):
    """The path of a program of ours: what the environment variable names, or the newest build in .build."""
    named = os.environ.get(variable)
    places = [named] if named else [os.path.join(REPOSITORY, ".build", kind, name) for kind in ("release", "debug")]
    for place in places:
        if os.path.exists(place):
            return place
    raise BedError(f"there is no {name} at {' or '.join(places)}: swift build -c release --product {name}")


@functools.cache
def nic():
    """The path of vtcp-nic: VTCP_NIC, or that in .build."""
    return _built("vtcp-nic", "VTCP_NIC")


@functools.cache
def bench():
    """The path of vtcp-bench: VTCP_BENCH, or that in .build."""
    return _built("vtcp-bench", "VTCP_BENCH")


def vtcpd():
    """The path of vtcpd: VTCPD, or that in .build."""
    return _built("vtcpd", "VTCPD")


def vtcpctl():
    """The path of vtcpctl: VTCPCTL, or that in .build."""
    return _built("vtcpctl", "VTCPCTL")


def api():
    """The path of vtcp-api: VTCP_API, or that in .build."""
    return _built("vtcp-api", "VTCP_API")


def relay():
    """The path of vtcp-relay: VTCP_RELAY, or that in .build."""
    return _built("vtcp-relay", "VTCP_RELAY")


def simulator():
    """The path of vtcp-simulate: VTCP_SIMULATE, or that in .build."""
    return _built("vtcp-simulate", "VTCP_SIMULATE")


def libvirt_hook():
    """The path of vtcp-libvirt-hook: VTCP_LIBVIRT_HOOK, or that in .build."""
    return _built("vtcp-libvirt-hook", "VTCP_LIBVIRT_HOOK")


def libvirt_events():
    """The path of vtcp-libvirt-events: VTCP_LIBVIRT_EVENTS, or that in .build."""
    return _built("vtcp-libvirt-events", "VTCP_LIBVIRT_EVENTS")


def nic_or_none():
    """The path of vtcp-nic, or None if it has not been built."""
    try:
        return nic()
    except BedError:
        return None
