# SPDX-License-Identifier: Apache-2.0
"""A vhost-user front-end that is not QEMU: DPDK's `virtio-user` device and driver, in `dpdk-testpmd`.

It polls: while it forwards, it takes a processor. So have one at a time, and for a short time.
"""

import itertools
import os
import shutil
import signal

from .process import BedError, wait_until

PROMPT = "testpmd> "
_serial = itertools.count(1)


class Testpmd:
    """dpdk-testpmd at its prompt. Devices come and go by `attach` and `detach`, so that one start serves many.

    Without hugepages DPDK keeps all its memory in one memfd, which is what a vhost-user back-end can map.
    """

    # Not a test class, whatever pytest makes of its name.
    __test__ = False

    def __init__(self, network, mode="macswap", mbuf_size=2176, mbufs=16384, devices=(), options=(), eal=()):
        output, self._input = os.pipe()
        command = ["stdbuf", "-o0", "dpdk-testpmd", "--no-huge", "-m", 64 + mbufs * mbuf_size * 5 // 4 // (1 << 20), "--no-pci"]
        # One core for the prompt, one that forwards: with DPDK's own threads on one processor if there is no other.
        command += ["--lcores", "0@0,1@1" if (os.cpu_count() or 1) > 1 else "0@0,1@0"]
        number = next(_serial)
        prefix = f"{os.path.basename(network.folder)}-{number}"
        self._runtime = f"/var/run/dpdk/{prefix}"
        command += [f"--file-prefix={prefix}", "--no-telemetry"]
        command += ["--log-level=pmd.net.virtio.init:info", "--log-level=pmd.net.virtio.driver:info"]
        command += [*eal, *(f"--vdev={device}" for device in devices)]
        command += ["--", "--interactive", f"--forward-mode={mode}", f"--mbuf-size={mbuf_size}", f"--total-num-mbufs={mbufs}"]
        command += ["--disable-link-check", *options]
        try:
            self.process = network.start(f"testpmd{number}", command, stdin=output)
        finally:
            os.close(output)
        self._read = 0
        self._wait_prompt(30, "the start of testpmd")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _wait_prompt(self, seconds, what):
        wait_until(lambda: PROMPT in self.process.log()[self._read :], seconds, what, self.process)
        said = self.process.log()[self._read :]
        self._read += len(said)
        return said

    def command(self, text, seconds=15):
        """Gives a command and returns what testpmd says until its next prompt."""
        os.write(self._input, f"{text}\n".encode())
        return self._wait_prompt(seconds, f"testpmd: {text}")

    def commands(self, *texts):
        return "".join(self.command(text) for text in texts)

    def attach(self, device):
        """Makes a device and returns the number of its port; BedError with testpmd's words if it is refused."""
        said = self.command(f"port attach {device}")
        if "is attached. Now total ports is" not in said:
            raise BedError(f"testpmd refuses {device}:\n{said}")
        return int(said.split("is attached. Now total ports is")[0].rpartition("Port ")[2])

    def detach(self, port, name):
        said = self.commands(f"port stop {port}", f"port close {port}", f"device detach {name}")
        if f"Port {port} is closed" not in said or "is detached" not in said:
            raise BedError(f"testpmd does not give up port {port}:\n{said}")

    def start(self):
        self.command("start")

    def stop(self):
        """Stops forwarding and returns testpmd's counters as it prints them."""
        return self.command("stop")

    def close(self):
        """Quits as a user would; what does not end so is killed."""
        if self._input is None:
            return
        try:
            if not self.process.ended():
                os.write(self._input, b"quit\n")
                self.process.wait(10, "testpmd at its end")
        finally:
            self.kill()

    def kill(self):
        self.process.stop(signal.SIGKILL)
        # A killed one leaves its files there.
        shutil.rmtree(self._runtime, ignore_errors=True)
        if self._input is not None:
            os.close(self._input)
            self._input = None
