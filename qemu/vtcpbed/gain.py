# SPDX-License-Identifier: Apache-2.0
"""What the vTCP module changes for transfers of a guest: the same ones with `vtcp-nic --vtcp off` and `--vtcp early`, and a table of both."""

import contextlib
import dataclasses
import json
import os
import tempfile

from . import image
from .duty import Duty
from .process import run
from .traffic import Direction
from .transfers import FarHost

OFF, EARLY = MODES = ("off", "early")
_TURN, _PERIOD = 0.030, 0.090


@dataclasses.dataclass(frozen=True)
class Scene:
    """What a guest has to live with, and what is to be seen when it does."""

    title: str
    link: str
    starved: bool
    # Octets, and how many transfers are counted: of what chance decides, more.
    sizes: tuple
    meaning: str

    def burden(self, guest):
        return Duty([guest.process], _TURN, _PERIOD, seed=1) if self.starved else contextlib.nullcontext()


STARVED = Scene(
    "guest runs 30 ms of 90, RTT 10 ms",
    "delay=5ms",
    True,
    ((100_000, 8), (1_000_000, 6)),
    "A guest that waits for its processor answers late, so TCP waits for the guest in each round trip. The module answers in its place, and the\n"
    "  network's round trips go on while the guest waits; what the guest sends it gets rid of while it runs. It also\n"
    "  keeps its window while nothing is sent (RFC 7661), where Linux halves it for each timeout.",
)
LOSSY = Scene(
    "1 % lost, RTT 20 ms",
    "delay=10ms,loss=1%",
    False,
    ((100_000, 20), (1_000_000, 6)),
    "What the link loses of the guest's, the module sends again, at the pace at which any sender would; the guest has long been rid of it. What it\n"
    "  loses on the way to the guest the host has to send again, with or without the module: there is nothing to gain.",
)
SCENES = (STARVED, LOSSY)


@dataclasses.dataclass
class Leg:
    """One size in one direction: the Timing of each mode, and the segments that the module has sent again."""

    scene: Scene
    direction: Direction
    size: int
    timings: dict
    repaired: int


class Bed:
    """A guest on a NIC whose mode can be changed, and a host behind a link."""

    def __init__(self, nic, guest):
        self._nic = nic
        self._guest = guest
        self._options = nic.options
        self._stack = contextlib.ExitStack()
        # Statistics lie on a tmpfs.
        self._statistics = os.path.join(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="vtcp-", dir="/dev/shm")), "statistics")
        self._far = self._stack.enter_context(FarHost(guest))

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self._stack.close()
        if kind is None:
            self._nic.restart(self._options)

    def measure(self, scene, direction, size, count):
        """A Leg; BedError if what arrived is not what was sent."""
        timings = {}
        for mode in MODES:
            # Anew, so that both modes lose the same of the frames that they send.
            self._far.link(scene.link)
            self._nic.restart([f"--vtcp={mode}", *([f"--stats-file={self._statistics}"] if mode == EARLY else [])])
            # Until QEMU has found the new process.
            self._guest.sh(f"until ping -c 1 -W 1 {self._guest.network.addresses.host()}; do :; done", 30)
            timings[mode] = self._far.transfers(direction, size, count, meanwhile=scene.burden(self._guest))
        seen = json.loads(run([image.nic(), "--stats", self._statistics, "--json"]))
        return Leg(scene, direction, size, timings, sum(seen[leg]["retransmissions"] for leg in ("guest_leg", "network_leg")))


def measure_all(nic, guest, step):
    """All legs; `step` gives a context with a title, and a list for notes."""
    legs = []
    with Bed(nic, guest) as bed:
        for scene in SCENES:
            for direction in Direction:
                for size, count in scene.sizes:
                    with step(f"{direction}, {size // 1000} KB, {scene.title}") as notes:
                        leg = bed.measure(scene, direction, size, count)
                        off, on = (leg.timings[mode].finish for mode in MODES)
                        notes.append(f"SHA-256 equal, {off:.0f} and {on:.0f} ms")
                        legs.append(leg)
    return legs


def table(legs):
    """All legs, as lines."""
    counts = " to ".join(str(which(count for leg in legs for _, count in leg.scene.sizes)) for which in (min, max))
    groups = ("finish, ms (1)", "acknowledged, ms (2)", "sent again (3)")
    lines = [
        f"  {f'vtcp-nic --vtcp off and early (4), mean of {counts}':<50}" + "".join(f"{group:>24}" for group in groups),
        f"  {'transfers of each size on one connection':<50}" + 2 * "     off      on  off/on" + "     off      on  module",
        "  " + "-" * 122,
    ]
    scene = None
    for leg in legs:
        if leg.scene is not scene:
            scene = leg.scene
            lines.append(f"  {scene.title}")
        off, on = (leg.timings[mode] for mode in MODES)
        pairs = ((off.finish, on.finish), (off.acknowledgment, on.acknowledgment))
        cells = [f"{before:8.1f}{after:8.1f}{before / after:8.1f}" for before, after in pairs]
        cells.append(f"{off.retransmitted:8}{on.retransmitted:8}{leg.repaired:8}")
        lines.append(f"    {f'{leg.direction}, {leg.size // 1000} KB':<48}" + "".join(cells))
    return lines + [
        "  (1) From the sender's call of the socket until the receiver's application has everything.",
        "  (2) Until the sender's kernel knows that everything has arrived or, with --vtcp early, that vtcp-nic has it and will deliver it.",
        "  (3) Segments of all transfers together: by the sender's kernel, and with --vtcp early by the module.",
        "  (4) The vTCP module, which is experimental.",
        *(f"  {scene.meaning}" for scene in SCENES),
    ]
