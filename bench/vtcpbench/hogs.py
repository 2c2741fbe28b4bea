# SPDX-License-Identifier: Apache-2.0
"""Other load on the machine."""

import signal

from vtcpbed import Process


class Hogs:
    """Processes that do nothing but take the processor's time, at ordinary priority."""

    def __init__(self, count, folder):
        self._processes = [
            Process(f"hog{number}", ["sh", "-c", "while :; do :; done"], folder=folder) for number in range(count)
        ]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self._processes:
            process.stop(signal.SIGKILL)
