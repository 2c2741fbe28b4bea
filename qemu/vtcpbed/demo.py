# SPDX-License-Identifier: Apache-2.0
"""Scripts/demo's second half: a guest on vtcp-nic, with the vTCP module off and on; then beside the same guest on QEMU's own TAP; then two domains of
libvirt's, with a policy each."""

import contextlib
import json
import os
import shutil
import signal
import statistics
import sys
import time

from . import gain, host_demo, image
from .guest import Guest, TapDevice
from .network import Network
from .nic import NIC
from .process import BedError, install_signal_handlers
from .traffic import MEBIBYTE, Direction, Transfer, iperf3, ping

REPETITIONS = 3
SECONDS = 3
STATE = os.path.join(image.CACHE, "demo.json")


@contextlib.contextmanager
def step(title):
    """A progress line, like that of the shell scripts. What the body puts into the list that it gets is added to the line."""
    sys.stdout.write(f"  {title:<58} ")
    sys.stdout.flush()
    started = time.monotonic()
    notes = []
    try:
        yield notes
    except BaseException:
        print("failed")
        raise
    print(", ".join([f"{time.monotonic() - started:.1f} s", *notes]))


class Side:
    """One of the two that are compared."""

    def __init__(self, name, network, tap, guest, nic=None):
        self.name = name
        self.network = network
        self.tap = tap
        self.guest = guest
        self.nic = nic
        self.runs = {direction: [] for direction in Direction}

    def _counts(self):
        """(back-end CPU, CPU of back-end and QEMU, notifications, frames)"""
        qemu = self.guest.process.cpu_seconds()
        if self.nic is None:
            return self.guest.process.main_thread_cpu_seconds(), qemu, 0, 0
        backend = self.nic.process.cpu_seconds()
        queues = self.nic.counters()
        totals = [sum(queue.get(name, 0) for queue in queues) for name in ("notifications", "frames")]
        return backend, backend + qemu, *totals

    def measure(self, direction):
        before = self._counts()
        result = iperf3(self.guest, direction, seconds=SECONDS)
        after = self._counts()
        backend, everything, notifications, frames = (b - a for a, b in zip(before, after))
        gigabytes = result.bytes / 1e9
        run = {
            "throughput": result.bits_per_second / 1e9,
            "retransmissions": result.retransmits,
            "backend": backend / gigabytes,
            "everything": everything / gigabytes,
            "notifications": 1000 * notifications / frames if frames else None,
        }
        self.runs[direction].append(run)
        return result

    def median(self, direction, name):
        values = [run[name] for run in self.runs[direction]]
        return None if None in values else statistics.median(values)


def table(sides):
    """The comparison, as lines."""
    rows = []
    for direction in Direction:
        for title, name, form in (
            ("Gbit/s", "throughput", "{:.2f}"),
            ("TCP retransmissions", "retransmissions", "{:.0f}"),
            ("CPU s per GB, back-end (1)", "backend", "{:.2f}"),
            ("CPU s per GB, back-end and QEMU", "everything", "{:.2f}"),
            ("notifications per 1000 frames (2)", "notifications", "{:.0f}"),
        ):
            values = [side.median(direction, name) for side in sides]
            cells = ["-" if value is None else form.format(value) for value in values]
            ratio = f"{values[0] / values[1]:.2f}" if None not in values and values[1] else ""
            rows.append((f"{direction}: {title}", *cells, ratio))
    head = (f"median of {REPETITIONS} runs of {SECONDS} s, in turns", *(side.name for side in sides), "ratio")
    lines = [f"  {row[0]:<48}{row[1]:>12}{row[2]:>12}{row[3]:>9}" for row in (head, *rows)]
    lines.insert(1, "  " + "-" * 81)
    return lines + [
        "  (1) vtcp-nic: its whole process. QEMU's TAP: QEMU's main thread, which moves the packets there but does other work too;",
        "      the next row is the fair one: everything that runs, the emulated processor of the guest included.",
        "  (2) Interrupts sent to the guest, and frames as they pass the NIC (up to 64 KiB each), of both directions together.",
    ]


def start_side(stack, name, survives=False):
    network = Network(survives=survives)
    stack.callback(network.close)
    tap = network.add_tap()
    if name != "vtcp-nic":
        device, nic = TapDevice(tap), None
    else:
        nic = NIC(network, f"tap:{tap}", survives=survives)
        stack.callback(nic.close)
        device = nic.device()
    guest = Guest(network, device, wait=False, survives=survives)
    stack.callback(guest.stop)
    guest.wait_ready()
    return Side(name, network, tap, guest, nic)


def prove(side):
    """Files in both directions and both families; then one whose NIC is killed on the way."""
    for family in (4, 6):
        for direction in Direction:
            with step(f"{direction}, IPv{family}: 128 MiB in one connection") as notes:
                Transfer(side.guest, direction, 128 * MEBIBYTE, family).finish()
                notes.append("SHA-256 equal")
    with step("guest to host: 512 MiB, vtcp-nic killed twice on the way") as notes:
        transfer = Transfer(side.guest, Direction.TRANSMIT, 512 * MEBIBYTE)
        for goal in (100 * MEBIBYTE, 300 * MEBIBYTE):
            while transfer.progress() < goal and transfer.running():
                time.sleep(0.01)
            side.nic.restart()
        transfer.finish()
        notes.append("SHA-256 equal, same connection")


def compare(sides):
    for number in range(1, REPETITIONS + 1):
        for direction in Direction:
            with step(f"iperf3 {direction}, run {number} of {REPETITIONS}: {' and '.join(side.name for side in sides)}") as notes:
                results = [side.measure(direction) for side in sides]
                notes.append(" and ".join(f"{result.bits_per_second / 1e9:.2f}" for result in results) + " Gbit/s")


def _start_time(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[19]


def remember(side):
    """Writes down what --stop has to end."""
    pids = [side.guest.process.pid, side.nic.process.pid, side.network.holder_pid]
    with open(STATE, "w") as file:
        json.dump({"processes": [(pid, _start_time(pid)) for pid in pids], "folder": side.network.folder}, file)


def stop():
    """Ends what --keep left running."""
    try:
        with open(STATE) as file:
            state = json.load(file)
    except FileNotFoundError:
        print("No demo is running.")
        return
    for pid, started in state["processes"]:
        with contextlib.suppress(OSError):
            if _start_time(pid) == started:
                os.kill(pid, signal.SIGKILL)
    shutil.rmtree(state["folder"], ignore_errors=True)
    os.unlink(STATE)
    print("The demo is stopped; nothing of it is left.")


def explain(side):
    addresses = side.network.addresses
    enter = f"nsenter --target {side.network.holder_pid} --net"
    print(f"""
The guest goes on running on vtcp-nic (process {side.nic.process.pid}):
  a shell in the guest         socat -,raw,echo=0,escape=0x1d UNIX-CONNECT:{side.guest.folder}/console    (leave with Ctrl-])
  a shell in its network       {enter} bash
  a ping                       {enter} ping {addresses.guest()}    or    {enter} ping {addresses.guest(6)}
  QEMU's monitor (QMP)         socat READLINE UNIX-CONNECT:{side.guest.folder}/qmp
  the NIC's counters           kill -USR1 {side.nic.process.pid}; tail {side.nic.process.log_path}
Stop it with                   Scripts/demo --stop""")


def demonstrate(keep):
    if keep and os.path.exists(STATE):
        raise BedError("a demo is running already: stop it with Scripts/demo --stop")
    with contextlib.ExitStack() as stack:
        with step("booting a guest on vtcp-nic (QEMU 10)"):
            ours = start_side(stack, "vtcp-nic", survives=keep)
            ping(ours.guest)
        prove(ours)
        legs = gain.measure_all(ours.nic, ours.guest, step)
        with step("booting the same guest on QEMU's own TAP back-end"):
            theirs = start_side(stack, "QEMU TAP")
            ping(theirs.guest)
        sides = [ours, theirs]
        compare(sides)
        rows = host_demo.measure_all(step)
        for lines in (table(sides), gain.table(legs), host_demo.table(rows)):
            print()
            print("\n".join(lines))
        if keep:
            remember(ours)
            theirs.guest.stop()
            theirs.network.close()
            explain(ours)
            stack.pop_all()
    if not keep:
        print("\nEvery digest was equal, and everything that was started is gone.")


def main(arguments):
    install_signal_handlers()
    if arguments == ["--stop"]:
        return stop()
    try:
        demonstrate(keep=arguments == ["--keep"])
    except BedError as error:
        sys.exit(f"vtcp: {error}")
    except KeyboardInterrupt:
        sys.exit("vtcp: interrupted; everything that was started is gone.")


if __name__ == "__main__":
    main(sys.argv[1:])
