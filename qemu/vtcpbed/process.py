# SPDX-License-Identifier: Apache-2.0
"""Child processes that never outlive their parent, and what the kernel tells about them."""

import atexit
import contextlib
import ctypes
import fcntl
import glob
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1
_CLONE_NEWNET = 0x40000000
_TICKS = os.sysconf("SC_CLK_TCK")

_running: list["Process"] = []


class BedError(Exception):
    """Something in the test bed did not do what it has to; the text says what, and ends with the log of the process concerned."""


def scratch_folder(name, survives=False, parent="/tmp"):
    """A new folder with a short path: a Unix socket's path has at most 107 bytes. Those of killed programs are removed on the way."""
    prefix = f"{parent}/vtcp-{name}-"
    for folder in glob.glob(f"{prefix}*"):
        owner = folder[len(prefix) :].split("-")[0]
        if owner.isdigit() and not os.path.exists(f"/proc/{owner}"):
            shutil.rmtree(folder, ignore_errors=True)
    return tempfile.mkdtemp(prefix=f"vtcp-{name}-{'kept' if survives else os.getpid()}-", dir=parent)


def wait_until(condition, seconds, what, process=None, interval=0.005):
    """Waits until `condition()` is true and returns its value; fails after `seconds`, or when `process` has ended."""
    deadline = time.monotonic() + seconds
    while True:
        # Asked before the condition: what a process said last, it said before it ended.
        ended = process is not None and process.ended()
        value = condition()
        if value:
            return value
        if ended:
            raise BedError(f"{what}: {process.name} ended with status {process.status()}\n{process.log_tail()}")
        if time.monotonic() > deadline:
            tail = "" if process is None else f"\n{process.log_tail()}"
            raise BedError(f"{what}: not within {seconds} s{tail}")
        time.sleep(interval)


def _in_child(network, survives, handed=None, notify=None):
    """What a child does before it becomes the program: joins the network namespace (an open file), and binds its life to ours.

    `handed`: (names, descriptors) that it gets as sd_listen_fds(3) has them, from number 3 on.
    """
    parent = os.getpid()

    def prepare():
        if network is not None and _libc.setns(network, _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")
        if not survives:
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)
        if notify is not None:
            os.environ["NOTIFY_SOCKET"] = notify
        if handed is not None:
            names, numbers = handed
            # Out of the way of the numbers that they are to get.
            numbers = [fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 700) for number in numbers]
            for index, number in enumerate(numbers):
                os.dup2(number, 3 + index)
            os.environ["LISTEN_PID"] = str(os.getpid())
            os.environ["LISTEN_FDS"] = str(len(numbers))
            os.environ["LISTEN_FDNAMES"] = ":".join(names)

    return prepare


@contextlib.contextmanager
def _opened(namespace):
    network = None if namespace is None else os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield network
    finally:
        if network is not None:
            os.close(network)


@contextlib.contextmanager
def inside(namespace):
    """This thread in a network namespace, for a moment: what it opens there stays there."""
    with _opened("/proc/thread-self/ns/net") as home, _opened(namespace) as network:
        if _libc.setns(network, _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")
        try:
            yield
        finally:
            if _libc.setns(home, _CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")


class Process:
    """A child process: killed with its parent, in a session of its own, its output in a file."""

    def __init__(self, name, command, namespace=None, folder=None, keep_fds=(), stdin=None, stdout=None, survives=False, handed=None, notify=None):
        """`handed`: (names, descriptors) as sd_listen_fds(3) has them; `notify`: what the program finds in $NOTIFY_SOCKET."""
        assert threading.current_thread() is threading.main_thread(), "children are started from the main thread only"
        self.name = name
        self.command = [str(word) for word in command]
        self.log_path = os.path.join(folder or scratch_folder(name, survives), f"{name}.log")
        with _opened(namespace) as network, open(self.log_path, "ab") as log:
            self._child = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL if stdin is None else stdin,
                stdout=log if stdout is None else stdout,
                stderr=log,
                pass_fds=keep_fds,
                # What is not to be inherited says so itself; the numbers from 3 on would be closed.
                close_fds=handed is None,
                start_new_session=True,
                preexec_fn=_in_child(network, survives, handed, notify),
            )
        self.started = time.monotonic()
        if not survives:
            _running.append(self)

    @property
    def pid(self):
        return self._child.pid

    def ended(self):
        return self._child.poll() is not None

    def status(self):
        return self._child.poll()

    def wait(self, seconds, what=None):
        """The exit status; fails when the process still runs after `seconds`."""
        try:
            return self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            raise BedError(f"{what or self.name}: still running after {seconds} s\n{self.log_tail()}") from None

    def send(self, number):
        if not self.ended():
            self._child.send_signal(number)

    def stop(self, number=signal.SIGTERM, seconds=5):
        """Ends the process, with SIGKILL if `number` does not within `seconds`. Returns its status."""
        if not self.ended():
            self._child.send_signal(number)
            try:
                self._child.wait(seconds)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        if self in _running:
            _running.remove(self)
        return self._child.returncode

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def lines(self):
        """What the process has said so far, without a line that it is still writing."""
        return self.log().split("\n")[:-1]

    def log_tail(self, lines=25):
        tail = self.log().splitlines()[-lines:]
        return "\n".join([f"--- {' '.join(self.command)[:2000]}", f"--- the end of {self.log_path}:", *tail])

    def cpu_seconds(self):
        """User and system time of all threads so far."""
        return self._cpu_seconds(f"/proc/{self.pid}/stat")

    def main_thread_cpu_seconds(self):
        return self._cpu_seconds(f"/proc/{self.pid}/task/{self.pid}/stat")

    @staticmethod
    def _cpu_seconds(path):
        with open(path) as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def context_switches(self):
        """Voluntary and involuntary ones of all threads: 0 more of them means that the process slept all the time."""
        total = 0
        for task in os.listdir(f"/proc/{self.pid}/task"):
            with open(f"/proc/{self.pid}/task/{task}/status") as file:
                total += sum(int(line.split()[1]) for line in file if "ctxt_switches" in line)
        return total

    def memory(self):
        """The resident memory in bytes by kind: {"RssAnon": ..., "RssFile": ..., "RssShmem": ..., "VmRSS": ...}."""
        with open(f"/proc/{self.pid}/status") as file:
            rows = (line.split() for line in file if line.startswith(("Rss", "VmRSS")))
            return {row[0].rstrip(":"): int(row[1]) * 1024 for row in rows}


def run(command, namespace=None, seconds=60, check=True):
    """Runs a short command, in a network namespace if one is given, and returns its standard output."""
    words = [str(word) for word in command]
    with _opened(namespace) as network:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            preexec_fn=_in_child(network, survives=False),
        )
    if check and done.returncode != 0:
        raise BedError(f"{' '.join(words)}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def stop_everything():
    """Kills every process that is still running, the newest first, and waits for each."""
    for process in reversed(_running[:]):
        process.stop(signal.SIGKILL)


def install_signal_handlers():
    """Makes SIGTERM and SIGHUP end the program in order, as Ctrl-C does. (Python's own answer to them runs no clean-up.)"""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)


atexit.register(stop_everything)
