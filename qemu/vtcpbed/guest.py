# SPDX-License-Identifier: Apache-2.0
"""A guest: QEMU, its monitor (QMP), and the agent that runs commands in it."""

import base64
import dataclasses
import itertools
import json
import os
import signal
import socket
import time

from . import image
from .process import BedError, wait_until


# Without CMPXCHG16B: on QEMU 7.2 Linux 6.12 sometimes panicked right behind it, in the kernel's allocator, and EFLAGS was the low half of RAX
# with some bits set. So the emulator seems to leave rubbish there, and the allocator to take a failed exchange for a good one.
_PROCESSOR = "qemu64,-cx16"


def mac(index=0):
    """The address of a guest's card."""
    return f"52:54:00:77:00:{2 + index:02x}"


def kernel_options(addresses, index=0):
    """What the guest's kernel is told."""
    # no_timer_check: on a busy machine the kernel finds an emulated timer too slow, and panics.
    return f"console=ttyS0 quiet panic=-1 no_timer_check address={','.join(addresses.guest_networks(index))}"


@dataclasses.dataclass
class TapDevice:
    """QEMU's own TAP back-end, the thing that a vhost-user back-end is compared with."""

    tap: str
    queues: int = 1

    def arguments(self, _qemu):
        many = f",queues={self.queues}" if self.queues > 1 else ""
        return ["-netdev", f"tap,id=net0,ifname={self.tap},script=no,downscript=no,vhost=off{many}"]


@dataclasses.dataclass
class VhostUserDevice:
    """A vhost-user back-end at a Unix socket; QEMU connects to it, or (server) waits for it."""

    path: str
    queues: int = 1
    server: bool = False

    def arguments(self, qemu):
        if self.server:
            mode = ",server=on,wait=off"
        else:
            # 7.2 knows seconds only.
            mode = ",reconnect-ms=100" if qemu == "10" else ",reconnect=1"
        return [
            "-chardev",
            f"socket,id=backend,path={self.path}{mode}",
            "-netdev",
            f"vhost-user,id=net0,chardev=backend,queues={self.queues}",
        ]


class Guest:
    """A booted guest, addressed and ready for commands. Use it as a context manager, or call `stop`."""

    _serial = itertools.count(1)

    def __init__(
        self,
        network,
        device,
        index=0,
        qemu="10",
        packed=False,
        legacy=False,
        kernel="6.1",
        memory=256,
        processors=None,
        properties="",
        wait=True,
        survives=False,
        machine="q35",
        incoming=None,
        netboot=False,
        large_send=None,
        prefix=(),
    ):
        """`large_send`: bytes of a packet to segment, told to the guest by fw_cfg (docs/large-send.md)."""
        self.network = network
        self.index = index
        self.qemu = qemu
        name = f"guest{next(Guest._serial)}"
        self.folder = os.path.join(network.folder, name)
        os.mkdir(self.folder)
        self._agent = self._monitor = None
        self._requests = itertools.count(1)
        queues = device.queues
        if processors is None:
            processors = min(queues, os.cpu_count() or 1)
        nic = f"virtio-net-pci,netdev=net0,mac={mac(index)}"
        if netboot:
            # The ROM is QEMU's default for the card: iPXE with a virtio-net driver of its own, from the package ipxe-qemu, on which QEMU's
            # depends. Without a graphics card the BIOS, and so iPXE, writes to the console.
            nic += ",bootindex=1"
            machine += ",graphics=off"
            boot = []
        else:
            nic += ",romfile="
            files = image.guest(kernel)
            boot = ["-kernel", files.kernel, "-initrd", files.initramfs, "-append", kernel_options(network.addresses, index)]
        if queues > 1:
            nic += ",mq=on"
        if qemu == "7.2" and isinstance(device, VhostUserDevice):
            # Debian 12's QEMU crashes with vhost-user and MSI-X when there is no KVM (hw/virtio/virtio-pci.c, use_guest_notifier_mask).
            nic += ",vectors=0"
        elif queues > 1:
            nic += f",vectors={2 * queues + 2}"
        if packed:
            nic += ",packed=on"
        if legacy:
            nic += ",disable-modern=on,disable-legacy=off"
        if properties:
            nic += f",{properties}"
        self.command = [
            *prefix,
            image.qemu(qemu),
            *("-nodefaults", "-no-reboot", "-display", "none"),
            *("-machine", f"{machine},accel=tcg,memory-backend=memory", "-cpu", _PROCESSOR, "-smp", processors, "-m", f"{memory}M"),
            *("-object", f"memory-backend-memfd,id=memory,size={memory}M,share=on"),
            *boot,
            *("-chardev", f"socket,id=console,path={self.folder}/console,server=on,wait=off,logfile={self.folder}/console.log"),
            *("-serial", "chardev:console"),
            *("-qmp", f"unix:{self.folder}/qmp,server=on,wait=off"),
            *("-device", "virtio-serial-pci", "-chardev", f"socket,id=agent,path={self.folder}/agent,server=on,wait=off"),
            *("-device", "virtserialport,chardev=agent,name=agent"),
            *device.arguments(qemu),
            *("-device", nic),
            *(["-fw_cfg", f"name=opt/vtcp/large-send,string={large_send}"] if large_send else []),
            *(["-incoming", incoming] if incoming else []),
        ]
        self.process = network.start(f"qemu-{name}", self.command, survives=survives)
        if wait:
            self.wait_ready()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    # The agent.

    def wait_ready(self, seconds=90):
        """Waits until the guest takes commands. A back-end that QEMU waits for has to be there by now."""
        self._agent = _Lines(self._connect("agent", seconds))
        try:
            self._agent.read(seconds)
        except (OSError, BedError) as error:
            raise BedError(f"the guest did not boot: {error}\n{self.console()}\n{self.process.log_tail()}") from None
        self.boot_seconds = time.monotonic() - self.process.started
        return self

    def take_over(self, seconds=30):
        """Speaks to the agent of a guest that has arrived here, booted long ago."""
        self._agent = _Lines(self._connect("agent", seconds))
        # The guest's agent has seen its port close, and begins anew; what comes while it does so is lost.
        deadline = time.monotonic() + seconds
        while True:
            try:
                self.run("true", 2)
                return self
            except BedError:
                if time.monotonic() > deadline:
                    raise

    def reset(self):
        """Presses the machine's reset button: no driver says goodbye. It boots anew; `wait_ready` waits for that."""
        self._agent.close()
        self._agent = None
        # The file that transfers send.
        self.__dict__.pop("source", None)
        self.qmp("set-action", reboot="reset")
        self.qmp("system_reset")

    def run(self, command, seconds=60):
        """(status, output) of a bash command in the guest."""
        number = str(next(self._requests))
        self._agent.write(f"{number} {base64.b64encode(command.encode()).decode()}\n")
        deadline = time.monotonic() + seconds
        while True:
            try:
                words = self._agent.read(max(0.01, deadline - time.monotonic())).split()
            except OSError:
                raise BedError(f"in the guest: {command}: no answer within {seconds} s\n{self.console()}") from None
            # An older number answers a command that took too long for its caller.
            if words[0] == number:
                output = base64.b64decode(words[2]) if len(words) > 2 else b""
                return int(words[1]), output.decode(errors="replace")

    def sh(self, command, seconds=60):
        """The output of a bash command that has to succeed."""
        status, output = self.run(command, seconds)
        if status != 0:
            raise BedError(f"in the guest: {command}: status {status}\n{output}")
        return output

    def start(self, command, output="/dev/null"):
        """Starts a command in the background and returns its process number in the guest."""
        return int(self.sh(f"{{ {command} ; }} >{output} 2>&1 </dev/null & echo $!"))

    def configure(self, mtu=1500):
        """Gives the card its addresses and puts its settings back: after a driver reload, or after a test that changed them."""
        commands = [f"ip link set eth0 mtu {mtu} up"]
        commands += [f"ip address replace {address} dev eth0" for address in self.network.addresses.guest_networks(self.index)]
        self.sh("; ".join(commands))

    def reload_driver(self):
        """What an administrator of the guest does: the driver resets the device and starts anew."""
        device = self.sh("basename $(readlink -f /sys/class/net/eth0/device)").strip()
        driver = "/sys/bus/virtio/drivers/virtio_net"
        self.sh(f"echo {device} >{driver}/unbind; echo {device} >{driver}/bind")
        self.sh("until [ -e /sys/class/net/eth0 ]; do sleep 0.05; done", 20)
        self.configure()

    def console(self, lines=15):
        try:
            with open(f"{self.folder}/console.log", errors="replace") as file:
                return "--- the end of the guest's console:\n" + "".join(file.readlines()[-lines:])
        except OSError:
            return ""

    # The monitor.

    def _connect(self, name, seconds):
        connection = socket.socket(socket.AF_UNIX)

        def connected():
            try:
                connection.connect(f"{self.folder}/{name}")
                return True
            except OSError:
                return False

        wait_until(connected, seconds, f"QEMU's socket \"{name}\"", self.process)
        return connection

    def qmp(self, command, seconds=10, **arguments):
        """Runs a QMP command and returns what it returns. Events that come in between are in `events`."""
        if self._monitor is None:
            self._monitor = _Lines(self._connect("qmp", seconds))
            self.events = []
            self._monitor.read(seconds)
            self._qmp("qmp_capabilities", {}, seconds)
        return self._qmp(command, arguments, seconds)

    def _qmp(self, command, arguments, seconds):
        self._monitor.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        while True:
            reply = json.loads(self._monitor.read(seconds))
            if "error" in reply:
                raise BedError(f"QMP {command}: {reply['error']['desc']}")
            if "return" in reply:
                return reply["return"]
            self.events.append(reply)

    def negotiated(self, name="virtio-net"):
        """The names of the features that the driver of a virtio device has accepted, a driver in the firmware as well."""
        path = next(device["path"] for device in self.qmp("x-query-virtio") if device["name"] == name)
        features = self.qmp("x-query-virtio-status", path=path)["guest-features"]
        # Each is a name, a colon, and what it means.
        return {text.split(":")[0] for text in features["transports"] + features["dev-features"]}

    def hmp(self, command):
        return self.qmp("human-monitor-command", **{"command-line": command})

    # The end.

    def kill(self):
        self.stop(signal.SIGKILL)

    def stop(self, number=signal.SIGTERM):
        for lines in (self._agent, self._monitor):
            if lines is not None:
                lines.close()
        self._agent = self._monitor = None
        return self.process.stop(number)


class _Lines:
    """Lines over a stream socket, with a time limit for each."""

    def __init__(self, connection):
        self._connection = connection
        self._buffer = b""

    def write(self, text):
        self._connection.settimeout(30)
        self._connection.sendall(text.encode())

    def read(self, seconds):
        deadline = time.monotonic() + seconds
        while b"\n" not in self._buffer:
            self._connection.settimeout(max(0.001, deadline - time.monotonic()))
            data = self._connection.recv(1 << 16)
            if not data:
                raise BedError("the connection was closed")
            self._buffer += data
        line, self._buffer = self._buffer.split(b"\n", 1)
        return line.decode()

    def close(self):
        self._connection.close()
