# SPDX-License-Identifier: Apache-2.0
"""A machine as an administrator has it: Debian's systemd, D-Bus and libvirtd, booted in namespaces over this machine's own files."""

import json
import os
import shlex
import subprocess

from . import image
from .groups import ControlGroup
from .process import BedError, wait_until

# Where the machine has what lies in folders of ours elsewhere.
QEMU = "/opt/qemu10"
GUEST = "/opt/guest"
PROGRAMS = "/opt/programs"
_MODULES = "/usr/lib/x86_64-linux-gnu/qemu"

# Not this machine's: what was installed or set up of ours or of libvirt's, and what would begin by itself.
_HIDDEN = (
    "/etc/machine-id",
    "/etc/vtcp",
    "/var/lib/vtcp",
    "/var/log/journal",
    "/var/lib/libvirt",
    "/etc/libvirt/qemu",
    "/etc/libvirt/hooks",
    "/etc/systemd/system/timers.target.wants",
    "/etc/systemd/system/multi-user.target.wants",
)


class Machine:
    """Its files are this machine's, written to in memory only; its network is that of `network`. Everything ends with it.

    The repository is at the same place, read-only; the programs under test are in PROGRAMS, QEMU 10 and the guest's files beside it.
    """

    def __init__(self, network, name="machine"):
        self.network = network
        self.folder = os.path.join(network.folder, name)
        self._group = ControlGroup(name)
        for part in ("layer", "root"):
            os.makedirs(os.path.join(self.folder, part))
        # The kernel kills all that is in a process namespace when its first process dies, and that is bound to ours.
        unshare = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private"]
        self.process = network.start(name, [*unshare, "sh", "-ec", self._script()])
        try:
            self._init = wait_until(self._first_process, 20, "systemd", self.process, interval=0.05)
            wait_until(self._is_up, 60, "a booted machine", self.process, interval=0.2)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _script(self):
        folder = shlex.quote(self.folder)
        binds = {
            image.REPOSITORY: image.REPOSITORY,
            os.path.dirname(image.qemu("10")): QEMU,
            os.path.dirname(image.guest("6.1").kernel): GUEST,
            # Asked for all types, QEMU 10 loads the modules at the compiled-in place too, and takes none of another build.
            os.path.join(os.path.dirname(image.qemu("10")), "tree", _MODULES.lstrip("/")): _MODULES,
            **{path: f"{PROGRAMS}/{name}" for name, path in _programs().items()},
        }
        boot = [
            "systemd-nspawn",
            "--quiet",
            "--boot",
            f"--directory={self.folder}/root",
            "--register=no",
            "--keep-unit",
            f"--network-namespace-path={self.folder}/network",
            "--bind=/dev/net/tun",
            "--capability=all",
            "--console=pipe",
            *(f"--bind-ro={source}:{place}" for source, place in binds.items()),
            "systemd.unit=basic.target",
        ]
        return "\n".join(
            [
                f"cd {folder}",
                "touch network",
                "mount --bind /proc/self/ns/net network",
                "mount -t proc proc /proc",
                "mount -t tmpfs -o mode=755 layer layer",
                "mkdir layer/upper layer/work",
                "mount -t overlay -o lowerdir=/,upperdir=layer/upper,workdir=layer/work machine root",
                *(f"rm -rf root{place}" for place in _HIDDEN),
                # Empty: it is set at the first boot.
                "touch root/etc/machine-id",
                # One hierarchy of control groups, as Debian 12 has it, and in it one for all of the machine.
                *self._group.script("/sys/fs/cgroup"),
                f"echo $$ >/sys/fs/cgroup/{self._group.name}/cgroup.procs",
                f"exec {shlex.join(boot)}",
            ]
        )

    def _first_process(self):
        """systemd's number here: the first that calls itself so below nspawn."""
        waiting = [self.process.pid]
        while waiting:
            pid = waiting.pop()
            try:
                with open(f"/proc/{pid}/comm") as file:
                    if file.read() == "systemd\n":
                        return pid
                with open(f"/proc/{pid}/task/{pid}/children") as file:
                    waiting += map(int, file.read().split())
            except OSError:
                pass
        return None

    def _is_up(self):
        return self.run("systemctl is-system-running", check=False)[1].strip() in ("running", "degraded")

    def path(self, path):
        """Of a file of the machine's, seen from here."""
        return f"/proc/{self._init}/root{path}"

    def run(self, command, check=True, seconds=60, folder="/"):
        """(status, output) of a command of bash's, as root at the machine's console."""
        words = ["nsenter", f"--target={self._init}", "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", f"--wdns={folder}"]
        environment = ["env", "-i", "HOME=/root", "LANG=C.UTF-8", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
        try:
            done = subprocess.run(
                [*words, *environment, "bash", "-c", command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=seconds,
            )
        except subprocess.TimeoutExpired as expired:
            raise BedError(f"{command}: no end within {seconds} s\n{expired.output}\n{self.journal()}") from None
        if check and done.returncode != 0:
            raise BedError(f"{command}: status {done.returncode}\n{done.stdout}\n{self.journal()}")
        return done.returncode, done.stdout

    def sh(self, command, **options):
        """The output of a command that has to succeed."""
        return self.run(command, **options)[1]

    def json(self, command):
        return json.loads(self.sh(command))

    def journal(self, unit=None, lines=60):
        """What the machine's programs said, the end of it."""
        words = f"journalctl --no-pager --lines={lines} {f'--unit={unit}' if unit else ''}"
        try:
            return self.run(words, check=False, seconds=20)[1]
        except (BedError, OSError):
            return ""

    def main_pid(self, unit):
        """Of a service, as the machine counts; 0 if it does not run."""
        return int(self.sh(f"systemctl show --property=MainPID --value {unit}"))

    def close(self):
        self.process.stop(9)
        self._group.close()


def _programs():
    """What is installed: {name: path}."""
    return {
        "vtcp-nic": image.nic(),
        "vtcpd": image.vtcpd(),
        "vtcpctl": image.vtcpctl(),
        "vtcp-libvirt-hook": image.libvirt_hook(),
        "vtcp-libvirt-events": image.libvirt_events(),
        "vtcp-api": image.api(),
    }
