# SPDX-License-Identifier: Apache-2.0
"""A network that machines boot from: DHCP and HTTP of busybox, at the host's end of the cable, for iPXE in a network card's ROM."""

import os
import re

from . import image
from .guest import kernel_options, mac
from .process import wait_until

PORT = 80


class BootServer:
    """Gives the first guest of a network its address, and a script by which iPXE loads its kernel and initramfs over HTTP."""

    def __init__(self, network, device, kernel, options=""):
        self.files = image.guest(kernel)
        folder = os.path.join(network.folder, "boot")
        os.mkdir(folder)
        host, guest = network.addresses.host(), network.addresses.guest()
        for file in self.files:
            os.symlink(file, os.path.join(folder, os.path.basename(file)))
        with open(os.path.join(folder, "script"), "w") as script:
            script.write(
                "#!ipxe\n"
                f"kernel vmlinuz {kernel_options(network.addresses)} {options} || shutdown\n"
                "initrd initramfs || shutdown\n"
                "boot\n"
            )
        configuration = os.path.join(network.folder, "udhcpd.conf")
        with open(configuration, "w") as file:
            # A lease of its own for the guest's MAC address: others udhcpd tries by ARP first, for seconds.
            file.write(
                f"interface {device}\nstart {guest}\nend {guest}\nstatic_lease {mac()} {guest}\n"
                f"lease_file {network.folder}/leases\npidfile {network.folder}/udhcpd.pid\n"
                f"siaddr {host}\nboot_file http://{host}/script\noption subnet 255.255.255.0\noption router {host}\n"
            )
        open(os.path.join(network.folder, "leases"), "w").close()
        self._http = network.start("httpd", ["busybox", "httpd", "-f", "-vv", "-p", PORT, "-h", folder])
        self._dhcp = network.start("udhcpd", ["busybox", "udhcpd", "-f", configuration])
        for kind, port, process in (("t", PORT, self._http), ("u", 67, self._dhcp)):
            wait_until(lambda: network.run("ss", f"-Hln{kind}", f"sport = {port}"), 10, f"{process.name}'s socket", process)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._dhcp.stop()
        self._http.stop()

    def requests(self):
        """What was asked for by HTTP so far, in order."""
        return re.findall(r"url:/(\S*)", self._http.log())

    def log_tail(self):
        return f"{self._dhcp.log_tail()}\n{self._http.log_tail()}"
