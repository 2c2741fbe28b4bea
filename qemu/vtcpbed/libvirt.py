# SPDX-License-Identifier: Apache-2.0
"""A real libvirtd in namespaces of its own, and domains of it: nothing of the machine's own libvirt is touched, and nothing is left behind."""

import itertools
import os
import shlex
import shutil
import signal
import socket
import subprocess
import time
import uuid

from . import image
from .guest import _PROCESSOR, Guest, kernel_options, mac
from .host import HostService, Refused
from .process import BedError, run, wait_until

# What libvirtd keeps, made new for each: the machine's own are hidden. Configuration is copied from the package's.
_STATE = ("/var/lib/libvirt", "/var/log/libvirt")
_DRIVERS = "/usr/lib/x86_64-linux-gnu/libvirt"
_MODULES = "/usr/lib/x86_64-linux-gnu/qemu"

# QEMU as root, without the labels, control groups and namespaces that need more than a namespace has.
_QEMU_CONFIGURATION = """\
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
stdio_handler = "file"
cgroup_controllers = [ ]
namespaces = [ ]
"""

METADATA = "https://vtcp.example/libvirt/1"


class Libvirt:
    """libvirtd in mount, process and host name namespaces of its own, in the network of `network`.

    Inside, /run/vtcp is the folder `run_folder`, and /run/libvirt the folder `sockets`: both can be reached from outside by those paths. There is a process
    namespace, since QEMUs are no children of ours: the kernel kills all that is in it when its first process dies, and that is bound to ours.
    """

    def __init__(self, network, name="host1", hook=None, hook_options=(), version="9", start=True):
        """`version`: 9 is the one that is installed, 11 that of backports, laid over it where nobody else sees it."""
        self.version = version
        self.network = network
        self.name = name
        self.folder = os.path.join(network.folder, name)
        self.sockets = os.path.join(self.folder, "sockets")
        for folder in (self.folder, self.sockets, f"{self.folder}/etc"):
            os.mkdir(folder)
        self._configure(hook, hook_options)
        self._holder = network.start(
            f"{name}-holder",
            ["unshare", "--mount", "--pid", "--uts", "--fork", "--kill-child", "--propagation", "private", "sh", "-ec", self._script()],
        )
        # In memory, as the NICs want it; seen from outside.
        self.run_folder = f"/proc/{self._holder.pid}/root/run/vtcp"
        self.prefix = [
            "nsenter",
            f"--mount=/proc/{self._holder.pid}/ns/mnt",
            f"--uts=/proc/{self._holder.pid}/ns/uts",
        ]
        self.daemon = None
        self.domains = []
        wait_until(lambda: os.path.exists(f"{self.folder}/ready"), 10, "the namespaces of libvirtd", self._holder)
        if start:
            self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _configure(self, hook, hook_options):
        etc = f"{self.folder}/etc"
        shutil.copytree("/etc/libvirt", etc, dirs_exist_ok=True, symlinks=True, ignore=shutil.ignore_patterns("qemu"))
        os.makedirs(f"{etc}/hooks/qemu.d", exist_ok=True)
        with open(f"{etc}/qemu.conf", "a") as file:
            file.write(_QEMU_CONFIGURATION)
        with open(f"{etc}/libvirtd.conf", "a") as file:
            file.write('auth_unix_rw = "none"\nauth_unix_ro = "none"\nunix_sock_ro_perms = "0777"\n')
            file.write(f'host_uuid = "{uuid.uuid4()}"\n')
            # Called by hooks, and what it says of them.
            file.write(f'log_outputs = "2:file:{self.folder}/libvirtd-log"\nlog_filters = "1:util.hook 3:*"\n')
        if hook is not None:
            self.install_hook(hook, hook_options)

    def install_hook(self, hook, options=()):
        """As the package does: beside what others have there."""
        path = f"{self.folder}/etc/hooks/qemu.d/50-vtcp"
        if options:
            with open(path, "w") as file:
                file.write(f'#!/bin/sh\nexec {shlex.quote(hook)} {shlex.join(options)} "$@"\n')
            os.chmod(path, 0o755)
        else:
            shutil.copy2(hook, path)

    def _script(self):
        modules = os.path.join(os.path.dirname(image.qemu("10")), "tree", _MODULES.lstrip("/"))
        cache = os.path.join(image.CACHE, f"libvirt-{self.version}-cache")
        os.makedirs(cache, exist_ok=True)
        mounts = {
            "/etc/libvirt": f"{self.folder}/etc",
            "/run/libvirt": self.sockets,
            # What QEMUs can do, which takes seconds to find out.
            "/var/cache/libvirt": cache,
            # Asked for all types, QEMU 10 loads the modules at the compiled-in place too, and takes none of another build.
            _MODULES: modules,
        }
        # /run is new, so that mount points can be made in it that the machine does not have.
        lines = []
        if self.version == "11":
            lines.append(f"mount -t overlay -o lowerdir={image.libvirt11()}/usr:/usr libvirt /usr")
            # Its drivers only: it does not start with those of another version.
            lines.append(f"mount --bind {image.libvirt11()}{_DRIVERS} {_DRIVERS}")
        lines.append("mount -t tmpfs -o mode=755 run /run")
        lines += [f"mount -t tmpfs -o mode=755 state {place}" for place in _STATE]
        for place, source in mounts.items():
            lines.append(f"[ -e {place} ] || mkdir -p {place}; mount --bind {shlex.quote(source)} {place}")
        lines.append("mkdir -p /run/lock /run/user /run/vtcp")
        lines.append(f"hostname {self.name}")
        lines.append(f"touch {shlex.quote(self.folder)}/ready")
        # The first process of the namespace inherits its orphans; ignored, they are never zombies.
        lines.append("exec env --ignore-signal=CHLD sleep infinity")
        return "\n".join(lines)

    # The daemon.

    @property
    def process_namespace(self):
        return f"/proc/{self._holder.pid}/ns/pid_for_children"

    @property
    def _inside(self):
        return [*self.prefix, f"--pid={self.process_namespace}"]

    def start(self):
        # /proc of its own process namespace, for itself and its children only: to those outside of it that would not show themselves.
        command = "mount -t proc proc /proc; exec libvirtd --pid-file /run/libvirt/libvirtd.pid"
        self.daemon = self.network.start(
            f"{self.name}-libvirtd", [*self._inside, "unshare", "--mount", "--propagation", "slave", "sh", "-c", command]
        )
        wait_until(lambda: self.virsh("list", check=False)[0] == 0, 60, "libvirtd", self.daemon, interval=0.1)

    def stop(self, signal="TERM"):
        """Ends libvirtd; domains go on running."""
        if self.daemon is None:
            return
        if not self.daemon.ended():
            run([*self._inside, "sh", "-c", f"kill -{signal} $(cat /run/libvirt/libvirtd.pid)"])
            self.daemon.wait(30, "libvirtd")
        self.daemon = None

    def restart(self, signal="TERM"):
        self.stop(signal)
        self.start()

    def close(self):
        for domain in self.domains:
            domain.close()
        # With all that is in it.
        self._holder.stop(9)
        if self.daemon is not None:
            self.daemon.stop()

    def log(self):
        try:
            with open(f"{self.folder}/libvirtd-log", errors="replace") as file:
                return file.read()
        except OSError:
            return ""

    def run(self, command, check=True, seconds=60, stdin=None):
        """(status, output, seconds that it took) of a command beside the daemon."""
        started = time.monotonic()
        words = ["nsenter", f"--net={self.network.path}", *self.prefix[1:], "--", *map(str, command)]
        done = subprocess.run(words, input=stdin, stdin=None if stdin else subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds)
        took = time.monotonic() - started
        output = done.stdout + done.stderr
        if check and done.returncode != 0:
            raise BedError(f"{' '.join(map(str, command))}: status {done.returncode}\n{output}\n{self.log()[-3000:]}")
        return done.returncode, output, took

    def virsh(self, *words, check=True, seconds=60, stdin=None):
        """What virsh says, as `run`."""
        return self.run(["virsh", "-c", "qemu:///system", *words], check, seconds, stdin)

    def beside(self, name, command, **options):
        """Starts a program of ours beside the daemon: with the same files and network, in our own process namespace."""
        return self.network.start(name, [*self.prefix, "--", *command], **options)

    def define(self, name, **options):
        domain = Domain(self, name, **options)
        self.domains.append(domain)
        return domain

    @property
    def uri(self):
        """For another libvirtd."""
        return f"qemu+unix:///system?socket={self.sockets}/libvirt-sock"


class LibvirtService(HostService):
    """vtcpd beside a libvirtd, with NICs in its /run/vtcp on TAPs of a bridge; and vtcp-libvirt-events.

    The NICs are in libvirtd's process namespace: they end with it.
    """

    def __init__(self, libvirt, policy, bridge="bridge0", events=True):
        # Not super's: the namespaces and folders are there.
        self.libvirt = libvirt
        self.network = libvirt.network
        self.name = f"{libvirt.name}-vtcpd"
        self.folder = libvirt.folder
        self.run_directory = libvirt.run_folder
        self.state_directory = os.path.join(self.folder, "state")
        self.policy_file = os.path.join(self.folder, "policy.yaml")
        self.configuration_file = os.path.join(self.folder, "vtcpd.yaml")
        self.options = ["--log-level=debug"]
        self._prefix = libvirt.prefix
        self._namespace = libvirt.process_namespace
        self.process = self.events_process = None
        self.write_policy(policy)
        with open(self.configuration_file, "w") as file:
            # Two hosts of a network have TAPs of different names.
            file.write(f"uplink:\n  default: tap:{libvirt.name[-1]}-{{nic}}\n  bridge: {bridge}\n")
        self.start()
        if events:
            self.start_events()

    @property
    def command(self):
        inside = [word.replace(f"--run-directory={self.run_directory}", "--run-directory=/run/vtcp") for word in super().command]
        # Its namespaces are entered at once.
        return [word for index, word in enumerate(inside) if not (word == "nsenter" and index > 0)]

    def start_events(self):
        self.events_process = self.libvirt.beside(f"{self.libvirt.name}-events", [image.libvirt_events(), "--log-level=debug"])
        wait_until(lambda: "connected to" in self.events_process.log(), 20, "vtcp-libvirt-events", self.events_process)

    def nic_or_none(self, name):
        try:
            return self.nic(name)
        except Refused as refusal:
            if refusal.status != 404:
                raise
            return None

    def nic_status(self, name):
        """What vtcp-nic itself says: {name: text} of its control socket's lines."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(os.path.join(self.run_directory, "nics", f"{name}.control"))
            connection.sendall(b"status\n")
            lines = connection.makefile().read().splitlines()
        return dict(line.split(" ", 1) for line in lines[1:] if " " in line)

    def close(self):
        if self.events_process is not None:
            self.events_process.stop()
        self.process.stop(signal.SIGKILL)


def interface_xml(path, index=0, reconnect=True, mode="client", queues=1, more="", alias=None):
    """An interface of ours."""
    again = "<reconnect enabled='yes' timeout='1'/>" if reconnect else ""
    name = f"<alias name='{alias}'/>" if alias else ""
    return (
        f"<interface type='vhostuser'><mac address='{mac(index)}'/><source type='unix' path='{path}' mode='{mode}'>{again}</source>"
        f"<model type='virtio'/><driver name='vhost' queues='{queues}'/>{more}{name}</interface>"
    )


def policy_xml(attributes="", content=""):
    """Our metadata."""
    return f"<vtcp:policy xmlns:vtcp='{METADATA}' {attributes}>{content}</vtcp:policy>"


class Domain(Guest):
    """A domain of libvirt's: a guest whose QEMU libvirt starts."""

    def __init__(self, libvirt, name, interfaces="", metadata="", index=0, shared=True, memory=256, more="", persistent=True):
        self.libvirt = libvirt
        self.name = name
        self.index = index
        self.network = libvirt.network
        self.uuid = str(uuid.uuid4())
        # Where another host finds it too. Not domain-NAME: paths that end so are taken for libvirt's own, and replaced.
        self.folder = os.path.join(libvirt.network.folder, f"vm-{name}")
        os.makedirs(self.folder, exist_ok=True)
        self._agent = self._monitor = None
        self._requests = itertools.count(1)
        self.xml = self._xml(interfaces, metadata, shared, memory, more)
        self.path = f"{self.folder}/{libvirt.name}.xml"
        with open(self.path, "w") as file:
            file.write(self.xml)
        if persistent:
            libvirt.virsh("define", self.path)

    @property
    def process(self):
        # Whose log explains a failure.
        return self.libvirt.daemon

    def _xml(self, interfaces, metadata, shared, memory, more):
        files = image.guest("6.1")
        backing = "<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>" if shared else ""
        model, _, feature = _PROCESSOR.partition(",-")
        return f"""<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>{self.name}</name><uuid>{self.uuid}</uuid><memory unit='MiB'>{memory}</memory><vcpu>1</vcpu>
  <metadata>{metadata}</metadata>
  {backing}
  <os><type arch='x86_64' machine='q35'>hvm</type><kernel>{files.kernel}</kernel><initrd>{files.initramfs}</initrd>
    <cmdline>{kernel_options(self.network.addresses, self.index)}</cmdline></os>
  <features><acpi/></features>
  <cpu mode='custom' match='exact' check='none'><model fallback='allow'>{model}</model><feature policy='disable' name='{feature}'/></cpu>
  <on_reboot>destroy</on_reboot>
  <devices><emulator>{image.qemu("10")}</emulator>
    {interfaces}
    <serial type='file'><source path='{self.folder}/console.log' append='on'/></serial>
    <channel type='unix'><source mode='bind' path='{self.folder}/agent'/><target type='virtio' name='agent'/></channel>
    <memballoon model='none'/><controller type='usb' model='none'/><video><model type='none'/></video>
  </devices>
  {more}
</domain>
"""

    # What virsh does to it.

    def virsh(self, command, *words, **options):
        return self.libvirt.virsh(command, self.name, *words, **options)

    def boot(self, wait=True, **options):
        """`virsh start`; `start` is a command in the guest."""
        answer = self.virsh("start", **options)
        if wait and answer[0] == 0:
            self.wait_ready()
        return answer

    def forget(self):
        """Its agent is somewhere else, or gone."""
        for lines in (self._agent, self._monitor):
            if lines is not None:
                lines.close()
        self._agent = self._monitor = None

    def destroy(self):
        self.forget()
        return self.virsh("destroy")

    def state(self):
        return self.virsh("domstate", check=False)[1].strip()

    def live_xml(self):
        return self.virsh("dumpxml")[1]

    def set_metadata(self, xml, *words):
        """Live, as an administrator does; nothing else tells of it but an event."""
        return self.virsh("metadata", METADATA, "--key", "vtcp", "--set", xml, "--live", *words)

    def pid(self):
        """QEMU's, in the namespace that we see."""
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                with open(f"/proc/{entry}/cmdline", "rb") as file:
                    words = file.read().split(b"\0")
            except OSError:
                continue
            if f"guest={self.name},debug-threads=on".encode() in words and self.uuid.encode() in words:
                return int(entry)
        return None

    def close(self):
        self.forget()

    stop = close
