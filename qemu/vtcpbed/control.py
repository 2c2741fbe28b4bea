# SPDX-License-Identifier: Apache-2.0
"""vtcpctl, and the control socket of a vtcp-nic."""

import contextlib
import json
import os
import signal
import socket
import subprocess

from . import image
from .process import Process, run, wait_until


def control_words(folder):
    """(the option of vtcp-nic, those of vtcpctl) for a control socket in the folder."""
    path = os.path.join(folder, "control")
    return f"--control-socket={path}", ["--nic-control", path]


def vtcpctl(*words, status=0, seconds=30):
    """What it prints; of a status other than 0 what it says."""
    done = subprocess.run([image.vtcpctl(), *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds)
    assert done.returncode == status, (words, done)
    return done.stdout if status == 0 else done.stderr


def vtcpctl_json(*words):
    return json.loads(vtcpctl(*words, "--json"))


@contextlib.contextmanager
def capturing(place, path, *words):
    """Captures into a file; when it is over, what it said last is in the list."""
    process = Process("vtcpctl", [image.vtcpctl(), "capture", *place, "-w", path, *words])
    said = []
    try:
        # The section header is there: from here on frames are shown.
        wait_until(lambda: os.path.exists(path) and os.path.getsize(path) > 0, 10, "the capture", process)
        yield said
    finally:
        status = process.stop(signal.SIGINT, seconds=20)
        said += process.log().splitlines()
    assert status == 0, said


def packets(path, *fields):
    """The fields of each packet, as tshark reads them."""
    words = [word for field in fields for word in ("-e", field)]
    lines = run(["tshark", "-r", path, "-T", "fields", "-E", "separator=|", *words], seconds=120).splitlines()
    return [line.split("|") for line in lines]


@contextlib.contextmanager
def asked(path, request):
    """A connection to a control socket on which something was asked for."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20)
        connection.connect(path)
        connection.sendall(request)
        yield connection


def all_of(connection):
    said = b""
    while part := connection.recv(1 << 20):
        said += part
    return said
