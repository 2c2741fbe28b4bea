# SPDX-License-Identifier: Apache-2.0
"""An administrator changes the policy of a vtcp-nic that runs: under load, and wrongly."""

import contextlib
import os
import random
import socket
import stat
import subprocess
import threading
import time

import pytest
from vtcpbed import image
from vtcpbed.flows import run_flows
from vtcpbed.lateness import timed
from vtcpbed.legs import Legs
from vtcpbed.monitoring import statistics, statistics_file
from vtcpbed.process import inside, wait_until

pytestmark = pytest.mark.nic

CHANGES = 1000
# Each as different from the one before it as can be.
POLICIES = [
    "default mode=early leastRoundTrip=0\nrule destinationPort=5001 configuration=config2 class=bulk\n",
    "default mode=off\n",
    "default mode=snoop leastRoundTrip=0 congestionAlgorithm=vegas\nconfiguration small transmitBufferSize=16KiB receiveBufferSize=16KiB mode=early\n"
    "rule opener=guest configuration=small class=small\n",
    "default mode=early leastRoundTrip=0 congestionAlgorithm=bic duplicateAcknowledgmentThreshold=2 bufferWeight=9 outOfOrderStoreSize=256KiB\n",
    "default bufferWeight=0\nrule opener=network configuration=config1 class=bulk\n",
]


class Control:
    def __init__(self, folder):
        self.path = os.path.join(folder, "control")

    @property
    def option(self):
        return f"--control-socket={self.path}"

    @contextlib.contextmanager
    def connected(self, seconds=20):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(seconds)
            connection.connect(self.path)
            yield connection

    def ask(self, octets):
        """What comes back for a request."""
        with self.connected() as connection:
            connection.sendall(octets)
            return answer(connection)

    def set_policy(self, text):
        return self.ask(f"policy {len(text.encode())}\n{text}".encode())

    def told(self):
        """By the program itself, for people: of policies and large sends."""
        done = self.run("--status")
        assert done.returncode == 0, done.stderr
        answer = dict(line.split() for line in done.stdout.splitlines())
        # What every NIC says of itself (docs/keeping.md).
        return {name: value for name, value in answer.items() if name not in ("process", "kept", "generation", "resumed", "draining", "held")}

    def run(self, *words):
        return subprocess.run([image.nic(), self.option, *words], capture_output=True, text=True, timeout=30)


def answer(connection):
    said = b""
    while part := connection.recv(65536):
        said += part
    return said.decode()


@pytest.fixture
def control(tmp_path):
    return Control(tmp_path)


def test_a_policy_changes_a_thousand_times_under_load_and_no_octet_is_lost(control):
    answers = []
    ended = threading.Event()

    def change():
        while len(answers) < CHANGES or not ended.is_set():
            answers.append(control.set_policy(POLICIES[len(answers) % len(POLICIES)]))

    with statistics_file() as path:
        with Legs("delay=2ms,loss=0.5%", 1, ["--vtcp=early,always", control.option, f"--stats-file={path}"]) as legs:
            changing = threading.Thread(target=change)
            changing.start()
            try:
                seen = run_flows(legs.ends, 1, 90, flows=200, max_size=1 << 20, congestion="cubic", spread=4000, abort=0)
            finally:
                ended.set()
                changing.join()
            told = statistics(path)
            assert int(control.told()["policy"]) == len(answers) + 1
        assert not os.path.exists(control.path) or stat.S_ISSOCK(os.stat(control.path).st_mode)
    assert not seen["problems"], seen["problems"][:10]
    assert all(text.startswith("ok\n") for text in answers), next(text for text in answers if not text.startswith("ok\n"))
    assert len(answers) >= CHANGES
    assert told["counters"]["early_octets"] > 0 and told["counters"]["lost_octets"] == 0 and told["counters"]["resets"] == 0


def test_what_is_wrong_is_told_by_line_and_the_policy_in_force_stays(control, tmp_path):
    good, bad = tmp_path / "good.policy", tmp_path / "bad.policy"
    good.write_text("rule guestPort=22 configuration=config1 class=ssh\n")
    bad.write_text("default mode=early\nrule guestPrt=22 configuration=config1\nrule guestPort=22 configuration=config3\n")
    with Legs(nic_options=["--vtcp=early", control.option]) as legs:
        assert stat.S_IMODE(os.stat(control.path).st_mode) == 0o600
        assert control.told() == {"policy": "1", "rules": "0", "classes": "1", "connections": "0"}
        done = control.run(f"--set-policy={good}")
        assert (done.returncode, done.stdout) == (0, "policy 2 is in force for 0 connections\n"), done
        assert control.told()["rules"] == "1"
        done = control.run(f"--set-policy={bad}")
        assert done.returncode == 2
        assert "the policy in force stays" in done.stderr
        assert f"{bad}:2:6: " in done.stderr and "did you mean guestPort?" in done.stderr and f"{bad}:3:33: " in done.stderr
        assert control.told() == {"policy": "2", "rules": "1", "classes": "2", "connections": "0"}
        assert "policy 2 is in force: 1 rules" in legs.nic.process.log()
    for words in (["--status"], [f"--set-policy={good}"]):
        done = control.run(*words)
        assert done.returncode == 2 and "give the path that vtcp-nic was started with as --control-socket" in done.stderr


def test_a_nic_that_is_drained_under_load_owes_nothing_and_its_connections_go_on(control):
    """As before a host is taken down: what was acknowledged early is delivered within a time, and data pass from then on."""
    with statistics_file() as path, contextlib.ExitStack() as ends:
        with Legs("delay=10ms,loss=0.5%", 1, ["--vtcp=early,always", control.option, f"--stats-file={path}"]) as legs:

            def early():
                return statistics(path)["counters"]["early_octets"]

            def goes_on(seconds=3):
                """Every connection gets on, meanwhile."""
                before = list(got)
                wait_until(lambda: all(now > then + (1 << 16) for now, then in zip(got, before)), 30, "data of every connection")
                time.sleep(seconds)

            # As much as the path carries within a second or two.
            assert control.set_policy("default leastRoundTrip=0 transmitBufferSize=256KiB receiveBufferSize=256KiB\n").startswith("ok\n")
            with inside(legs.host.path):
                listener = ends.enter_context(socket.create_server((legs.ends[1].addresses[0], 5000)))
            octets = random.Random(1).randbytes(1 << 20)
            got, wrong = [0] * 4, []
            for number in range(4):
                with inside(legs.guest_network.path):
                    client = ends.enter_context(socket.create_connection(listener.getsockname(), timeout=20))
                server = ends.enter_context(listener.accept()[0])
                # Two of them to the guest.
                sender, receiver = (client, server) if number % 2 else (server, client)
                ends.callback(shut, sender)
                threading.Thread(target=send, args=(sender, octets), daemon=True).start()
                threading.Thread(target=compare, args=(receiver, octets, got, number, wrong), daemon=True).start()
            goes_on()
            for _ in range(3):
                assert early() > 0
                assert control.ask(b"drain 20\n") == "ok\nnothing is held that was acknowledged\n"
                before = early()
                goes_on()
                assert early() == before
                assert control.ask(b"drain off\n") == "ok\ndata are acknowledged early again\n"
                goes_on()
                assert early() > before
            told = statistics(path)["counters"]
    assert not wrong and told["lost_octets"] == 0 and told["resets"] == 0, (wrong, told)


def shut(end):
    """Also one whose other end is gone."""
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


def compare(end, octets, got, number, wrong):
    """Counts what comes, over and over the same octets, in `got[number]`."""
    with contextlib.suppress(OSError):
        while part := end.recv(1 << 16):
            place = got[number] % len(octets)
            wanted = octets[place : place + len(part)]
            wanted += octets[: len(part) - len(wanted)]
            if part != wanted:
                wrong.append((number, got[number]))
            got[number] += len(part)


def test_who_asks_for_what_there_is_not_is_told_so_and_holds_nobody_up(control):
    with Legs(nic_options=["--vtcp=early", control.option]) as legs:
        for octets, told in [
            (b"polcy 12\n", "ask for: policy LENGTH, status"),
            (b"policy\n", "ask for: "),
            (b"policy -1\n", "how many octets"),
            (b"policy 99999999999999999999\n", "how many octets"),
            (b"policy 1048577\n", "at most 1 MiB"),
            (b"status now\n", "ask for: "),
            (b"x" * 512, "a request is one line"),
            (b"policy 3\n\xff\xfe\xfd", "1:1: a line begins with"),
            (b"policy 8192\n" + b"a" * 8192, "1:4097: a line has at most 4096 octets"),
        ]:
            said = control.ask(octets)
            assert said.startswith("error\n") and told in said, (octets, said)
        # Who says that nothing more will come gets his answer.
        with control.connected() as connection:
            connection.sendall(b"policy 13\ndefault\n# all")
            connection.shutdown(socket.SHUT_WR)
            assert answer(connection) == "ok\npolicy 2 is in force for 0 connections\n"
        # Who goes away in the middle has changed nothing.
        with control.connected() as connection:
            connection.sendall(b"policy 30\ndefault mode=off\n")
        # Who does not go on is sent away, and until then the next one waits.
        with control.connected() as connection:
            connection.sendall(b"policy 30\ndefault mode=off\n")
            assert control.ask(b"status\n").startswith("ok\npolicy 2\n")
            assert answer(connection) == "error\nnothing came for 10 s\n"
        assert ", 0% packet loss" in legs.guest_network.run("busybox", "ping", "-c1", "-W5", legs.ends[1].addresses[0])


def test_a_nic_without_the_accelerator_has_no_policy_to_change(control, tmp_path):
    nic = subprocess.Popen([image.nic(), f"--socket-path={tmp_path}/nic", "--uplink=null", control.option], stderr=subprocess.PIPE)
    try:
        wait_until(lambda: os.path.exists(control.path), 20, "the control socket")
        assert control.told() == {"largeSendMultiple": "1", "largeSendIPv4": "65536", "largeSendIPv6": "65536"}
        said = control.ask(b"policy 13\ndefault mode=")
        assert said.startswith("error\n") and "start it with --vtcp snoop or --vtcp early" in said
        done = control.run("--set-large-send=128KiB")
        assert (done.returncode, done.stdout) == (0, "the guest is told 131767 bytes (IPv4), 129947 (IPv6)\n"), done
    finally:
        nic.terminate()
        assert nic.wait(20) == 0, nic.stderr.read()
    done = subprocess.run([image.nic(), "--status"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 2 and "say which by --control-socket=PATH" in done.stderr


# Which is better where one of a hundred is lost by chance, the statistics say.
ADJUSTED = "default mode=early leastRoundTrip=0\nconfiguration bulk congestionAlgorithm={}\nrule destinationPort=5000 configuration=bulk class=bulk\n"


@pytest.mark.by_the_clock
def test_what_the_statistics_say_of_a_class_is_answered_with_another_policy_for_it(control):
    """Claims 5 to 9: diagnostics of the network's leg go out, an adjusted configuration for the class comes in and is that of the same connection."""
    with statistics_file() as path:
        with Legs("delay=20ms,rate=30mbit,queue=150000,loss=1%", 1, ["--vtcp=early", control.option, f"--stats-file={path}"]) as legs:
            assert control.set_policy(ADJUSTED.format("newReno")).startswith("ok\n")
            with inside(legs.host.path):
                listener = socket.create_server((legs.ends[1].addresses[0], 5000))
            with listener, inside(legs.guest_network.path):
                sender = socket.create_connection(listener.getsockname(), timeout=20)
                receiver, _ = listener.accept()
            with sender, receiver:
                threading.Thread(target=send, args=(sender,), daemon=True).start()
                receive(receiver, 4)
                slow = receive(receiver, 3)
                leg = {entry["name"]: entry for entry in statistics(path)["classes"]}["bulk"]["network_leg"]
                assert leg["retransmissions"] > 0 and leg["delivered"] > 0
                told = control.set_policy(ADJUSTED.format("bbr"))
                assert told == "ok\npolicy 3 is in force for 1 connections\n"
                receive(receiver, 4)
                fast = receive(receiver, 3)
                sender.shutdown(socket.SHUT_RDWR)
    with timed():
        assert fast > 4 * slow, (fast, slow)


def test_no_more_connections_are_followed_than_policy_allows_and_the_others_pass(control):
    """Those that stand stay followed when it allows fewer."""
    with statistics_file() as path:
        with Legs(nic_options=["--vtcp=early,always", control.option, f"--stats-file={path}"]) as legs, contextlib.ExitStack() as ends:
            assert control.set_policy("limit flows=3\n").startswith("ok\n")
            assert control.told()["connectionLimit"] == "3"
            with inside(legs.host.path):
                listener = ends.enter_context(socket.create_server((legs.ends[1].addresses[0], 5000)))
            pairs = []
            for _ in range(5):
                with inside(legs.guest_network.path):
                    sender = ends.enter_context(socket.create_connection(listener.getsockname(), timeout=20))
                receiver = ends.enter_context(listener.accept()[0])
                receiver.settimeout(20)
                pairs.append((sender, receiver.makefile("rb")))
            for limit in (3, 1):
                for sender, receiver in pairs:
                    sender.sendall(b"x" * 10_000)
                    assert len(receiver.read(10_000)) == 10_000
                said = statistics(path)
                assert (said["current"]["flows"], said["current"]["flow_limit"], said["counters"]["refused_flows"]) == (3, limit, 2)
                assert control.set_policy("limit flows=1\n").startswith("ok\n")
            assert control.set_policy("default\n").startswith("ok\n") and "connectionLimit" not in control.told()


def send(end, octets=bytes(1 << 14)):
    """Over and over the same, until the connection ends."""
    with contextlib.suppress(OSError):
        while True:
            end.sendall(octets)


def receive(end, seconds):
    """Octets a second."""
    begin, count = time.monotonic(), 0
    while (now := time.monotonic()) < begin + seconds:
        count += len(end.recv(1 << 16))
    return count / (now - begin)
