# SPDX-License-Identifier: Apache-2.0
"""Ours, while an administrator changes its policy all the time."""

import sys

from .vtcp_nic import VtcpNIC

# Two policies by turns, of 200 rules each that are for nobody here, twenty times a second, as long as the file is there.
_CHANGER = """
import os, socket, sys, time
def policy(size):
    lines = ["default mode=early leastRoundTrip=0", f"configuration own transmitBufferSize={size}KiB"]
    return "\\n".join(lines + [f"rule guestPort={port} configuration=own" for port in range(1, 201)]) + "\\n"
policies = [f"policy {len(text)}\\n{text}".encode() for text in map(policy, (64, 128))]
due = time.monotonic()
while True:
    due += 0.05
    time.sleep(max(0, due - time.monotonic()))
    if not os.path.exists(sys.argv[2]):
        continue
    policies.reverse()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(sys.argv[1])
        connection.sendall(policies[0])
        said = connection.recv(4096)
        assert said.startswith(b"ok"), said
"""


class Changed(VtcpNIC):
    """vtcp-nic with early acknowledgment always, whose policy changes for connections that are not measured."""

    def start(self, session):
        control = session.path("control")
        self.options = [f"--control-socket={control}"]
        socket = super().start(session)
        changer = session.closing(session.host.start("changer", [sys.executable, "-c", _CHANGER, control, session.path("changes")]))
        session.changes(True)
        session.placement.place(changer, "guest")
        return socket
