# SPDX-License-Identifier: Apache-2.0
"""A machine on which Scripts/install was run, with a real systemd and Debian's libvirt: what README and docs tell an administrator to type."""

import glob
import itertools
import os
import re
import time

import pytest
from vtcpbed import Direction, Guest, Network, Transfer, VhostUserDevice, image, ping
from vtcpbed.guest import _PROCESSOR, kernel_options, mac
from vtcpbed.machine import GUEST, PROGRAMS, QEMU, Machine
from vtcpbed.process import wait_until
from vtcpbed.traffic import MEBIBYTE

pytestmark = pytest.mark.nic

NAME = "web1"

# The guest that somebody has: on a bridge, and nothing of ours in it.
DOMAIN = """\
<domain type='qemu'>
  <name>{name}</name><memory unit='MiB'>256</memory><vcpu>1</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type><kernel>{guest}/vmlinuz</kernel><initrd>{guest}/initramfs</initrd><cmdline>{options}</cmdline></os>
  <features><acpi/></features>
  <cpu mode='custom' match='exact' check='none'><model fallback='allow'>{model}</model><feature policy='disable' name='{feature}'/></cpu>
  <devices>
    <emulator>{qemu}/qemu-system-x86_64</emulator>
    <interface type='bridge'><mac address='{mac}'/><source bridge='br0'/><model type='virtio'/></interface>
    <channel type='unix'><target type='virtio' name='agent'/></channel>
    <memballoon model='none'/><controller type='usb' model='none'/><video><model type='none'/></video>
  </devices>
</domain>
"""


def commands_of(document, heading):
    """The commands of the first block of shell below a heading of a document, without their comments."""
    with open(os.path.join(image.REPOSITORY, document)) as file:
        text = file.read()
    block = re.search(rf"^#+ {re.escape(heading)}\n.*?^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    lines = (re.sub(r"\s+#.*", "", line) for line in block[1].splitlines())
    return [line for line in lines if line.strip()]


class InstalledGuest(Guest):
    """A domain of the machine's libvirt, which speaks by the channel that libvirt has made for it."""

    def __init__(self, machine):
        self.machine, self.network, self.index = machine, machine.network, 0
        self._agent = self._monitor = None
        self._requests = itertools.count(1)
        channels = machine.path("/var/lib/libvirt/qemu/channel/target")
        self.folder = os.path.dirname(wait_until(lambda: glob.glob(f"{channels}/*/agent"), 20, "the guest's channel")[0])

    @property
    def process(self):
        # Whose log explains a failure.
        return self.machine.process


@pytest.fixture(scope="module")
def machine():
    with Network() as network:
        network.add_bridge("br0")
        with Machine(network) as machine:
            yield machine


@pytest.fixture(scope="module")
def guest(machine):
    """README's commands, typed as they stand there, but for the building."""
    commands = commands_of("README.md", "A libvirt guest with a policy of its own")
    assert 1 < len(commands) < 10, commands
    programs = {"VTCP_NIC": "vtcp-nic", "VTCPD": "vtcpd", "VTCPCTL": "vtcpctl", "VTCP_API": "vtcp-api"}
    programs |= {"VTCP_LIBVIRT_HOOK": "vtcp-libvirt-hook", "VTCP_LIBVIRT_EVENTS": "vtcp-libvirt-events"}
    built = " ".join(f"{variable}={PROGRAMS}/{program}" for variable, program in programs.items())
    model, _, feature = _PROCESSOR.partition(",-")
    options = kernel_options(machine.network.addresses, 0)
    xml = DOMAIN.format(name=NAME, guest=GUEST, options=options, model=model, feature=feature, qemu=QEMU, mac=mac(0))
    with open(machine.path("/root/had.xml"), "w") as file:
        file.write(xml)
    machine.sh("virsh define /root/had.xml")
    machine.sh(f"cp -a {image.REPOSITORY}/Scripts {image.REPOSITORY}/packaging {image.REPOSITORY}/qemu /root/")
    for command in commands:
        if command == "Scripts/install":
            command = f"{built} Scripts/install --no-build"
        machine.sh(command, folder="/root")
    return InstalledGuest(machine).wait_ready()


def nic_of(machine):
    return machine.json("vtcpctl nics --json")[0]


def class_of(machine):
    return nic_of(machine)["domain"]["vmClass"]


def test_a_newcomer_gets_a_guest_with_its_own_policy_in_less_than_ten_commands(machine, guest):
    ping(guest)
    assert class_of(machine) == "gold"
    explained = machine.sh(f"vtcpctl explain --vm {NAME} 'tcp 10.77.0.2:40000 > 10.77.0.1:80'")
    assert "gold" in explained, explained
    Transfer(guest, Direction.TRANSMIT, 16 * MEBIBYTE).finish()
    Transfer(guest, Direction.RECEIVE, 16 * MEBIBYTE).finish()
    status, findings = machine.run("vtcpctl doctor", check=False)
    # What is no fault of the installation's: this machine may have no KVM.
    assert status == 0 or re.findall(r"^bad +(\S+)", findings, re.MULTILINE) == ["kvm"], findings


def test_metadata_change_a_running_guests_policy(machine, guest):
    machine.sh(f"virsh metadata {NAME} https://vtcp.example/libvirt/1 --key vtcp --set \"<policy class='untouched'/>\" --live")
    wait_until(lambda: class_of(machine) == "untouched", 10, "the event to be told")
    ping(guest)


@pytest.mark.parametrize("command", ["systemctl restart vtcpd", "systemctl kill --kill-whom=main --signal=KILL vtcpd", "systemctl reload vtcpd"])
def test_a_guest_does_not_notice_what_systemd_does_to_the_service(machine, guest, command):
    before = nic_of(machine)["pid"]
    changes = guest.sh("cat /sys/class/net/eth0/carrier_changes")
    transfer = Transfer(guest, Direction.TRANSMIT, 48 * MEBIBYTE)
    machine.sh(command)
    wait_until(lambda: machine.run("vtcpctl status", check=False)[0] == 0, 20, "vtcpd to answer", interval=0.1)
    wait_until(lambda: nic_of(machine)["state"] == "running", 20, "the NIC to be found", interval=0.1)
    transfer.finish()
    assert nic_of(machine)["pid"] == before
    assert guest.sh("cat /sys/class/net/eth0/carrier_changes") == changes


def test_a_nic_that_is_killed_below_the_installed_service_is_not_missed(machine, guest):
    changes = guest.sh("cat /sys/class/net/eth0/carrier_changes")
    transfer = Transfer(guest, Direction.TRANSMIT, 48 * MEBIBYTE)
    for _ in range(5):
        before = nic_of(machine)["pid"]
        machine.sh(f"kill -KILL {before}")
        wait_until(lambda: nic_of(machine)["pid"] not in (0, None, before), 10, "the next NIC", interval=0.05)
    transfer.finish()
    assert guest.sh("cat /sys/class/net/eth0/carrier_changes") == changes
    # Each has locked itself in, inside what the unit allows.
    said = machine.journal("vtcpd", 1000)
    confined = re.findall(r"vtcp-nic \S+: confined: (.*)", said)
    assert len(confined) > 5 and all(re.fullmatch(r"user 64\d+, group \d+, no capabilities; an empty root; \d+ system calls", line) for line in confined)
    assert "warning" not in said and "libcap-ng" not in said, said


def test_the_units_are_what_systemd_understands(machine, guest):
    units = [os.path.basename(path) for path in glob.glob(machine.path("/usr/lib/systemd/system/vtcp*.service"))]
    assert len(units) == 3
    assert machine.sh(f"systemd-analyze verify --man=no {' '.join(units)}") == ""
    for unit in ("vtcpd", "vtcp-libvirt-events"):
        assert machine.sh(f"systemctl is-active {unit}").strip() == "active"
    machine.sh("systemctl start vtcp-api")
    assert '"nics"' in machine.sh("curl --silent --fail --unix-socket /run/vtcp-api/api.sock http://localhost/v1/status")


def test_systemd_itself_keeps_what_a_single_nics_successor_needs(machine):
    """The unit of docs/keeping.md, with neither vtcpd nor libvirt."""
    with open(os.path.join(image.REPOSITORY, "docs/keeping.md")) as file:
        unit = re.search(r"^```ini\n(.*?)^```", file.read(), re.DOTALL | re.MULTILINE)[1]
    with open(machine.path("/etc/systemd/system/vtcp-nic@.service"), "w") as file:
        file.write(unit.replace("/usr/bin/vtcp-nic", f"{PROGRAMS}/vtcp-nic"))
    machine.network.add_tap("solo", bridge="br0")
    machine.sh("systemctl daemon-reload; systemctl start vtcp-nic@solo")
    with Guest(machine.network, VhostUserDevice(machine.path("/run/vtcp-solo/nic.sock")), index=1) as guest:
        ping(guest)
        changes = guest.sh("cat /sys/class/net/eth0/carrier_changes")
        transfer = Transfer(guest, Direction.TRANSMIT, 48 * MEBIBYTE)
        for command in ("kill --signal=KILL", "restart", "kill --signal=KILL"):
            before = machine.main_pid("vtcp-nic@solo")
            machine.sh(f"systemctl {command} vtcp-nic@solo")
            wait_until(lambda: machine.main_pid("vtcp-nic@solo") not in (0, before), 10, "the next NIC", interval=0.05)
            time.sleep(0.3)
        transfer.finish()
        assert guest.sh("cat /sys/class/net/eth0/carrier_changes") == changes
    machine.sh("systemctl stop vtcp-nic@solo")
