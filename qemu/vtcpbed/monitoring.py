# SPDX-License-Identifier: Apache-2.0
"""What vtcp-nic lets others see, by `--stats-file`."""

import contextlib
import json
import os
import uuid

from . import image
from .process import run


@contextlib.contextmanager
def statistics_file():
    """A path on a tmpfs."""
    path = f"/dev/shm/vtcp-statistics-{uuid.uuid4()}"
    try:
        yield path
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


def statistics(path):
    return json.loads(run([image.nic(), "--stats", path, "--json"]))
