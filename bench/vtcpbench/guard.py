# SPDX-License-Identifier: Apache-2.0
"""Takes back what the kernel would keep when this program ends, however it ends."""

import subprocess

_OVERCOMMIT = "/proc/sys/vm/nr_overcommit_hugepages"

# Waits for the end of this program, whose end of the pipe the kernel closes, and then puts the number back.
_SCRIPT = f'read -r _; echo "$1" >{_OVERCOMMIT}'


class Guard:
    """Lets DPDK have huge pages of 2 MiB on demand (none is reserved), and forbids it again at the end.

    A session of its own and no bound to our life: it has to outlive us by a moment, also when we are killed.
    """

    def __init__(self, pages=600):
        self.huge_pages = False
        self._child = None
        try:
            with open(_OVERCOMMIT) as file:
                before = int(file.read())
            if before < pages:
                self._child = subprocess.Popen(
                    ["sh", "-c", _SCRIPT, "guard", str(before)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
                with open(_OVERCOMMIT, "w") as file:
                    file.write(str(pages))
            self.huge_pages = True
        except OSError:
            # A container's /proc is read-only: DPDK then works with small pages, and the results say so.
            self.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self._child is not None:
            self._child.stdin.close()
            self._child.wait()
            self._child = None
