# SPDX-License-Identifier: Apache-2.0
"""A control group of the unified hierarchy, which this machine need not have mounted."""

import os
import shlex
import subprocess

from .process import wait_until


class ControlGroup:
    """Made by who runs `script` in a mount namespace of its own; taken away, with those below it, by `close`."""

    def __init__(self, name):
        self.name = f"vtcp-{name}-{os.getpid()}"

    def script(self, hierarchy):
        """Lines that mount the hierarchy there and make the group in it."""
        return [f"mount -t cgroup2 groups {shlex.quote(hierarchy)}", f"mkdir {shlex.quote(f'{hierarchy}/{self.name}')}"]

    def close(self):
        script = f"mount -t cgroup2 groups /sys/fs/cgroup; cd /sys/fs/cgroup; [ ! -e {self.name} ] || find {self.name} -depth -type d -exec rmdir {{}} +"
        unshare = ["unshare", "--mount", "--propagation", "private", "sh", "-ec", script]
        # They can go as soon as the kernel has ended all processes in them.
        wait_until(lambda: subprocess.run(unshare, stderr=subprocess.DEVNULL).returncode == 0, 10, "the end of a control group's processes", interval=0.1)
