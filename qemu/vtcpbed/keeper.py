# SPDX-License-Identifier: Apache-2.0
"""What systemd, or a host service, is to a vtcp-nic: it keeps the descriptors that have to outlive it, and hands them to the next one."""

import array
import os
import socket
import threading

from .process import wait_until


class Keeper:
    """Keeps descriptors by name, as it is told at its socket (sd_notify(3)), and gives them to a program that it starts (sd_listen_fds(3)).

    A thread reads, so that the program never waits.
    """

    def __init__(self, folder):
        self.path = os.path.join(folder, "notify")
        self.said = []
        self._kept = []
        self._lock = threading.Lock()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        # Also for a program without privileges.
        os.chmod(self.path, 0o666)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._isclosing = False
        self._thread.start()

    def close(self):
        self._isclosing = True
        # Wakes the thread.
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as own:
            own.sendto(b"CLOSE=1\n", self.path)
        self._thread.join()
        self._socket.close()
        for _, number in self._kept:
            os.close(number)
        self._kept = []

    def _serve(self):
        while not self._isclosing:
            # Asked with the lock held by nobody, taken with it: another thread may take what is there first.
            try:
                self._socket.recv(1, socket.MSG_PEEK)
                self.read()
            except OSError:
                return

    def read(self):
        """Does all that it was told so far."""
        with self._lock:
            while True:
                try:
                    text, data, _, _ = self._socket.recvmsg(4096, socket.CMSG_SPACE(64 * 4), socket.MSG_DONTWAIT | socket.MSG_CMSG_CLOEXEC)
                except BlockingIOError:
                    return
                numbers = array.array("i")
                for level, kind, octets in data:
                    if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                        numbers.frombytes(octets[: len(octets) // 4 * 4])
                self._take(text.decode().splitlines(), list(numbers))

    def _take(self, lines, numbers):
        name = next((line[7:] for line in lines if line.startswith("FDNAME=")), "stored")
        if "FDSTOREREMOVE=1" in lines:
            for kept, number in self._kept:
                if kept == name:
                    os.close(number)
            self._kept = [(kept, number) for kept, number in self._kept if kept != name]
        if "FDSTORE=1" in lines:
            self._kept += [(name, number) for number in numbers]
        else:
            for number in numbers:
                os.close(number)
        self.said += [line for line in lines if not line.startswith("FD")]

    @property
    def names(self):
        self.read()
        return sorted(name for name, _ in self._kept)

    def handed(self):
        """(names, descriptors) to start the next program with."""
        self.read()
        with self._lock:
            return [name for name, _ in self._kept], [number for _, number in self._kept]

    def ready(self):
        """How often READY=1 was said."""
        self.read()
        return self.said.count("READY=1")

    def wait_ready(self, times, process, seconds=10):
        wait_until(lambda: self.ready() >= times, seconds, "READY=1", process, interval=0.0005)
