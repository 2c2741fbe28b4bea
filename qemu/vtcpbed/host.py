# SPDX-License-Identifier: Apache-2.0
"""The host service: a vtcpd with its NICs, in a network of the bed."""

import contextlib
import json
import os
import shutil
import signal
import socket
import urllib.parse

from . import image
from .guest import VhostUserDevice
from .process import BedError, Process, scratch_folder, wait_until


class Refused(BedError):
    """An answer that is not 200: its status, the sentence, and the mistakes."""

    def __init__(self, status, text):
        self.status = status
        try:
            body = json.loads(text)
            self.sentence, self.mistakes = body["error"], body.get("mistakes", [])
        except (ValueError, KeyError, TypeError):
            self.sentence, self.mistakes = text, []
        super().__init__("\n".join([f"{status}: {self.sentence}", *self.mistakes]))


def ask(path, method, target, body=b"", seconds=30):
    """(status, text) of one request to a control socket."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(seconds)
        connection.connect(path)
        # What is refused by its first line alone may be answered before all has been sent.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(f"{method} {target} {len(body)}\n".encode() + body)
        with connection.makefile("rb") as answer:
            status, length = answer.readline().split()
            text = answer.read(int(length))
    if len(text) != int(length):
        raise BedError(f"{method} {target}: the answer has {len(text)} octets of {length.decode()}")
    return int(status), text.decode()


class HostService:
    """A running vtcpd. `restart` starts it anew after its end, with the same directories.

    Its NICs outlive it, and so are no children that end with this process. They live in a process namespace whose first process is one: when that
    ends, all of them do.
    """

    def __init__(self, network, policy=None, configuration="", name="vtcpd", options=(), prefix=(), wait=True):
        self.network = network
        self.name = name
        self.folder = os.path.join(network.folder, name)
        # Statistics are in memory, on no disk.
        self._memory_folder = scratch_folder("host", parent="/dev/shm")
        os.chmod(self._memory_folder, 0o755)
        self.run_directory = os.path.join(self._memory_folder, "run")
        self.state_directory = os.path.join(self.folder, "state")
        self.policy_file = os.path.join(self.folder, "policy.yaml")
        self.configuration_file = os.path.join(self.folder, "vtcpd.yaml")
        self.options = list(options)
        self._prefix = list(prefix)
        os.mkdir(self.folder)
        # NICs of users of their own connect to sockets below it.
        os.chmod(network.folder, 0o755)
        if policy is not None:
            self.write_policy(policy)
        with open(self.configuration_file, "w") as file:
            file.write(configuration)
        self._holder = Process("holder", ["unshare", "--pid", "--fork", "--kill-child=KILL", "sleep", "infinity"], folder=self.folder)
        namespace = f"/proc/{self._holder.pid}/ns/pid_for_children"
        mine = os.stat("/proc/self/ns/pid").st_ino
        # Between its making and its first process it is not there at all.
        wait_until(lambda: os.path.exists(namespace) and os.stat(namespace).st_ino != mine, 10, "a process namespace", self._holder)
        self._namespace = namespace
        self.process = None
        self.start(wait)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def control(self):
        return os.path.join(self.run_directory, "control.sock")

    def write_policy(self, text):
        with open(self.policy_file, "w") as file:
            file.write(text)

    @property
    def command(self):
        return [
            *self._prefix,
            # Only what it starts is in the namespace, it is not.
            *("nsenter", "--no-fork", f"--pid={self._namespace}"),
            image.vtcpd(),
            f"--config={self.configuration_file}",
            f"--run-directory={self.run_directory}",
            f"--state-directory={self.state_directory}",
            f"--policy={self.policy_file}",
            f"--nic-program={image.nic()}",
            *self.options,
        ]

    def start(self, wait=True):
        self.process = self.network.start(self.name, self.command)
        if wait:
            self.wait_ready()

    def wait_ready(self, seconds=20):
        def answers():
            try:
                return self.get("/v1/status")
            except (OSError, BedError):
                return None

        return wait_until(answers, seconds, "vtcpd answers", self.process)

    def kill(self):
        """As a crash ends it: the NICs go on."""
        self.process.stop(signal.SIGKILL)

    def end(self):
        """As an update ends it: the NICs go on. Returns its status."""
        return self.process.stop(signal.SIGTERM)

    def restart(self, kill=True):
        if kill:
            self.kill()
        else:
            status = self.end()
            assert status == 0, f"vtcpd ended with {status} at SIGTERM\n{self.process.log_tail()}"
        self.start()
        self.wait_running()

    def shut_down(self, seconds=30):
        """Ends it with its NICs, and returns its status."""
        self.process.send(signal.SIGINT)
        return self.process.wait(seconds, "vtcpd after SIGINT")

    def close(self):
        self.process.stop(signal.SIGKILL)
        self._holder.stop(signal.SIGKILL)
        shutil.rmtree(self._memory_folder, ignore_errors=True)

    # Requests.

    def ask(self, method, target, body=b"", seconds=30):
        """The answer of a request that has to be good; `Refused` otherwise."""
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode()
        status, text = ask(self.control, method, target, body, seconds)
        if status != 200:
            raise Refused(status, text)
        return json.loads(text)

    def get(self, target):
        return self.ask("GET", target)

    def post(self, target, body=b"", seconds=30, **query):
        if query:
            target += "?" + urllib.parse.urlencode(query, quote_via=urllib.parse.quote)
        return self.ask("POST", target, body, seconds)

    def put_policy(self, text):
        return self.ask("PUT", "/v1/policy", text)

    def add(self, name, **settings):
        """`port add`."""
        return self.ask("PUT", f"/v1/nics/{name}", settings)

    def remove(self, name):
        return self.ask("DELETE", f"/v1/nics/{name}")

    def nic(self, name):
        return self.get(f"/v1/nics/{name}")

    def pid(self, name):
        """Of the NIC's program, as we see it."""
        return self.nic(name)["pid"]

    def kill_nic(self, name):
        """As a crash ends it. Returns which process that was."""
        pid = self.pid(name)
        os.kill(pid, signal.SIGKILL)
        return pid

    def wait_running(self, names=None, seconds=20, besides=()):
        """Waits until all NICs, or these, run, as none of the processes in `besides`."""

        def running():
            nics = self.get("/v1/nics")["nics"]
            return all(nic["state"] == "running" and nic["pid"] not in besides for nic in nics if names is None or nic["name"] in names)

        wait_until(running, seconds, "the NICs run", self.process)

    def device(self, name, queues=1):
        """What QEMU is to connect to."""
        return VhostUserDevice(os.path.join(self.run_directory, f"{name}.sock"), queues)

    @contextlib.contextmanager
    def events(self):
        """A stream of events, as an iterator of objects; `settimeout` is the socket's."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(20)
            connection.connect(self.control)
            connection.sendall(b"GET /v1/events 0\n")
            with connection.makefile("rb") as lines:
                first = lines.readline()
                assert first == b"200 -\n", first
                yield (json.loads(line) for line in lines)
