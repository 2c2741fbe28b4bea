# SPDX-License-Identifier: Apache-2.0
"""What programs can see of early acknowledgment: nothing that they rely on has another meaning."""

import hashlib
import os
import signal
import sys
import time

import pytest
from vtcpbed.legs import FAR, Legs
from vtcpbed.process import wait_until

pytestmark = pytest.mark.nic

PORT = 7000
TO_THE_HOST, TO_THE_GUEST = True, False
directions = pytest.mark.parametrize("to_the_host", [TO_THE_HOST, TO_THE_GUEST], ids=["to-the-host", "to-the-guest"])


class Programs:
    """Python programs on both ends, and what they say."""

    def __init__(self, legs, server_is_host):
        guest = legs.guest_network
        self._networks = {True: legs.host, False: guest}
        self._server_is_host = server_is_host
        self.address = FAR.guest(4) if server_is_host else guest.addresses.guest(4)

    def server(self, text, *words):
        process = self._start("server", self._networks[self._server_is_host], text, *words)
        self.heard(process, "listening")
        return process

    def client(self, text, *words):
        return self._start("client", self._networks[not self._server_is_host], text, self.address, *words)

    def _start(self, name, network, text, *words):
        return network.start(name, [sys.executable, "-u", "-c", text, PORT, *words])

    @staticmethod
    def words(process):
        """What it has said: {the first word of a line: the rest of it}."""
        lines = (line.partition(" ") for line in process.lines())
        return {word: rest for word, _, rest in lines}

    def heard(self, process, word, seconds=20):
        """Waits until a line of the program begins with the word, and returns the rest of it."""
        wait_until(lambda: word in self.words(process), seconds, f"{word!r} of a program", process)
        return self.words(process)[word]


_RECEIVER = """
import hashlib, socket, sys
listener = socket.create_server(("", int(sys.argv[1])))
print("listening")
connection = listener.accept()[0]
digest = hashlib.sha256()
while data := connection.recv(65536):
    digest.update(data)
print("digest", digest.hexdigest())
"""

# Sends a few octets, and a file when it is there; says when its kernel knows all to have arrived (SIOCOUTQ), and closes as one who wants to
# know.
_LINGERER = """
import fcntl, os, socket, struct, sys, time
port, address, path = int(sys.argv[1]), sys.argv[2], sys.argv[3]
connection = socket.create_connection((address, port))
connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 60))
def send(data, said):
    connection.sendall(data)
    while struct.unpack("i", fcntl.ioctl(connection, 0x5411, b"....")) != (0,):
        time.sleep(0.01)
    print(said)
send(b"hello", "connected")
while not os.path.exists(path):
    time.sleep(0.01)
send(open(path, "rb").read(), "acknowledged")
connection.close()
print("closed")
"""


@directions
def test_a_close_that_waits_is_over_when_the_receiver_has_everything(to_the_host):
    """SO_LINGER: data are acknowledged early, the end of them is not, as long as the way to their receiver stands still."""
    with Legs(nic_options=["--vtcp=early,always"]) as legs:
        programs = Programs(legs, server_is_host=to_the_host)
        content = os.urandom(30_000)
        path = os.path.join(legs.host.folder, "source")
        receiver = programs.server(_RECEIVER)
        sender = programs.client(_LINGERER, path)
        programs.heard(sender, "connected")
        way = legs.relay.process if to_the_host else legs.front_end
        way.send(signal.SIGSTOP)
        try:
            with open(f"{path}.new", "wb") as file:
                file.write(content)
            os.rename(f"{path}.new", path)
            programs.heard(sender, "acknowledged")
            time.sleep(1.5)
            assert "closed" not in programs.words(sender)
        finally:
            way.send(signal.SIGCONT)
        assert programs.heard(receiver, "digest") == hashlib.sha256(b"hello" + content).hexdigest()
        programs.heard(sender, "closed")


_FAST_SERVER = """
import socket, sys
listener = socket.socket()
listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 16)
listener.bind(("", int(sys.argv[1])))
listener.listen()
print("listening")
while True:
    connection = listener.accept()[0]
    # The first words come before the handshake is over; so does the answer to them.
    connection.sendall(b"welcome")
    data = b""
    while part := connection.recv(65536):
        data += part
    connection.sendall(data[::-1])
    connection.close()
"""

_FAST_CLIENT = """
import os, socket, sys
port, address, count = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
for number in range(count):
    content = os.urandom(300_000)
    connection = socket.socket()
    begun = connection.sendto(content[:1000], socket.MSG_FASTOPEN, (address, port))
    connection.sendall(content[begun:])
    connection.shutdown(socket.SHUT_WR)
    answer = b""
    while part := connection.recv(65536):
        answer += part
    connection.close()
    if answer != b"welcome" + content[::-1]:
        sys.exit(f"{number}: wrong answer of {len(answer)} octets")
print("right", count)
"""


@directions
@pytest.mark.parametrize("link", ["delay=2ms", "delay=2ms,loss=3%"], ids=["clean", "loss"])
def test_data_of_the_handshake_arrive(link, to_the_host):
    """TCP Fast Open, RFC 7413."""
    with Legs(link, nic_options=["--vtcp=early,always"]) as legs:
        for network in (legs.host, legs.guest_network):
            network.sysctl("net.ipv4.tcp_fastopen=3")
            # A path that loses something is not what is tried here: without it a client would stop asking.
            network.sysctl("net.ipv4.tcp_fastopen_blackhole_timeout_sec=0")
        programs = Programs(legs, server_is_host=to_the_host)
        programs.server(_FAST_SERVER)
        client = programs.client(_FAST_CLIENT, 20)
        assert programs.heard(client, "right", 60) == "20"
        networks = (legs.guest_network, legs.host)
        begun, taken = networks if to_the_host else networks[::-1]
        # The first connection asks for the cookie; a SYN that is lost is sent again without data, and so may be those after it.
        least = 5 if "loss" in link else 15
        assert begun.kernel_counter("TcpExtTCPFastOpenActive") >= least
        assert taken.kernel_counter("TcpExtTCPFastOpenPassive") >= least
