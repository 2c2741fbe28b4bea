# SPDX-License-Identifier: Apache-2.0
"""The command line of administrators, against a vtcp-nic without vtcpd."""

import contextlib
import json
import os
import shutil
import socket
import subprocess

import pytest
from test_capture import transfer
from vtcpbed import image
from vtcpbed.control import control_words, vtcpctl, vtcpctl_json
from vtcpbed.legs import Legs
from vtcpbed.monitoring import statistics, statistics_file
from vtcpbed.process import Process, wait_until

pytestmark = pytest.mark.nic

PORT = 7100


@contextlib.contextmanager
def accelerated(tmp_path):
    """(legs, options of vtcpctl for its control socket, those for its statistics, the file's path)"""
    option, place = control_words(tmp_path)
    with statistics_file() as path, Legs("delay=5ms", 1, ["--vtcp=early,always", option, f"--stats-file={path}"]) as legs:
        yield legs, place, ["--stats-file", path], path


def test_connections_are_told_in_the_words_of_ss(tmp_path):
    with accelerated(tmp_path) as (legs, place, file, path):

        def look(sender, _):
            ends = "{}:{} > {}:{}".format(*sender.getsockname(), *sender.getpeername())
            (flow,) = statistics(path)["flows"]
            for words in ([], [ends], [f":{PORT}"], ["tcp", *ends.split(" > ")], [sender.getsockname()[0]]):
                head, guest, network = vtcpctl("flows", *file, *words).splitlines()
                assert head.startswith("{}:{} {}:{} established opener:guest age:".format(*sender.getsockname(), *sender.getpeername()))
                assert guest.startswith("  guest   ") and network.startswith("  network accelerated rtt:1")
                assert f" bytes_acked:{flow['network_leg']['delivered']} " in network and " cwnd:" in network
            assert vtcpctl("flows", *file, ":7101") == ""
            (told,) = vtcpctl_json("flows", *file)
            assert told["network_leg"]["delivered"] == flow["network_leg"]["delivered"]
            assert "write ADDRESS" in vtcpctl("flows", *file, "10.0.0.256", status=2)

        transfer(legs, 1 << 20, PORT, look)
        status = vtcpctl_json("status", *place)
        assert status["policy"] == 1 and status["classes"] == 1 and isinstance(status["connections"], int)
        assert "policy: 1\n" in vtcpctl("status", *place)


def test_numbers_are_listed_and_what_changes_is_told(tmp_path):
    with accelerated(tmp_path) as (legs, _, file, path):
        transfer(legs, 1 << 20, PORT)
        listed = dict(line.strip().split(": ") for line in vtcpctl("stats", *file).splitlines()[1:])
        counters = statistics(path)["counters"]
        assert {name: int(listed[name]) for name in counters} == counters and int(listed["early_octets"]) > 0
        assert vtcpctl_json("stats", *file)["counters"] == counters
        watching = Process("watch", [image.vtcpctl(), "stats", *file, "--watch", "2", "--count", "1"])
        transfer(legs, 1 << 20, PORT + 1)
        assert watching.wait(20) == 0
        # Of a transfer that had begun before it looked first, less.
        early = [line for line in watching.lines() if "early_octets: +" in line]
        assert early and early[0].endswith("/s)") and not [line for line in watching.lines() if ": +0" in line]


def test_what_moves_most_is_on_top_and_what_happens_is_observed(tmp_path):
    with accelerated(tmp_path) as (legs, _, file, path):
        observing = Process("observe", [image.vtcpctl(), "observe", "-f", *file, "--count", "2", "--json"])
        top = []

        def look(sender, receiver):
            watching = Process("top", [image.vtcpctl(), "top", *file, "--interval", "1", "--count", "1"])
            sender.settimeout(0.01)
            while not watching.ended():
                with contextlib.suppress(TimeoutError):
                    sender.sendall(bytes(1 << 14))
                receiver.recv(1 << 20)
            assert watching.wait(1) == 0
            top.extend(watching.lines())
            wait_until(lambda: '"opened"' in observing.log(), 10, "the beginning of the connection", observing)

        # It has looked before there is a connection.
        wait_until(lambda: maps(observing, path) and observing.context_switches() > 2, 10, "vtcpctl", observing)
        transfer(legs, 1 << 20, PORT, look)
        assert observing.wait(20) == 0, observing.log()
        assert top[0].startswith("1 connections of 1 NICs; transmit ") and " 0 B/s, receive" not in top[0], top
        assert top[2].split()[:3] == ["NIC", "GUEST", "NETWORK"] and f":{PORT} " in top[3] and "accelerated" in top[3]
        events = [json.loads(line) for line in observing.lines()]
        assert {event["event"] for event in events} <= {"opened", "closed", "transmit", "receive"}
        assert events[0]["event"] == "opened" and events[0]["network"]["port"] == PORT


def maps(process, path):
    with open(f"/proc/{process.pid}/maps") as file:
        return path in file.read()


def test_exit_statuses_say_what_is_wrong(tmp_path):
    missing = str(tmp_path / "none")
    for words in (["status"], ["flows"], ["top"], ["stats"], ["nics"], ["policy", "show"], ["port", "remove", "x"], ["upgrade"]):
        said = vtcpctl(*words, "--socket", missing, status=3)
        assert "vtcpd does not run" in said and "start it" in said
    assert "give the path" in vtcpctl("status", "--nic-control", missing, status=3)
    assert "give the path" in vtcpctl("flows", "--stats-file", missing, status=3)
    (tmp_path / "junk").write_bytes(b"x" * 10_000)
    assert "begins with vTCPmoni" in vtcpctl("flows", "--stats-file", tmp_path / "junk", status=1)
    listener = socket.create_server(str(tmp_path / "other"), family=socket.AF_UNIX)
    with listener:
        asking = subprocess.Popen([image.vtcpctl(), "status", "--nic-control", tmp_path / "other"], stderr=subprocess.PIPE, text=True)
        connection = listener.accept()[0]
        assert connection.recv(100) == b"status\n"
        connection.close()
        assert asking.wait(10) == 1 and "is no control socket of a vtcp-nic" in asking.stderr.read()
    for words, told in [
        (["flwos"], "did you mean 'flows'?"),
        (["policy", "aply"], "did you mean 'policy apply'?"),
        (["flows", "--jsn"], "--json"),
        (["trace"], "flow"),
        (["top", "--interval", "0"], "--interval is from"),
        (["stats", "--count", "3"], "--count is for --watch"),
        (["override", "set", "--ttl", "1w", "a=b"], "--ttl is a number and"),
        (["override", "set", "--ttl", "1m", "a"], "KNOB=VALUE"),
        (["capture"], "say which NIC"),
        (["qemu-args"], "say which NIC"),
        (["qemu-args", "--socket-path", "/a b"], "no spaces"),
    ]:
        assert told in vtcpctl(*words, status=2), words
    assert vtcpctl("--version").strip() and "SUBCOMMANDS" in vtcpctl("--help")


def test_the_host_is_examined_and_told_how_to_be_mended(tmp_path):
    said = subprocess.run([image.vtcpctl(), "doctor", "--json", "--socket", tmp_path / "none"], capture_output=True, text=True, timeout=30)
    assert said.returncode == 1, said
    findings = {finding["check"]: finding for finding in json.loads(said.stdout)}
    assert set(findings) == {"kvm", "tun", "memory", "kernel", "sandbox", "vtcp-nic", "qemu", "vtcpd", "libvirt", "hook"}
    assert findings["tun"]["verdict"] == "good" and findings["kernel"]["verdict"] == "good"
    assert findings["vtcpd"]["verdict"] == "bad" and "systemctl start vtcpd" in findings["vtcpd"]["mend"]
    assert all(finding["mend"] for finding in findings.values() if finding["verdict"] != "good")
    text = subprocess.run([image.vtcpctl(), "doctor", "--socket", tmp_path / "none"], capture_output=True, text=True, timeout=30)
    assert text.returncode == 1 and "things are missing: " in text.stderr and "      mend: " in text.stdout


def test_qemu_takes_the_words_for_it(tmp_path):
    words = vtcpctl("qemu-args", "--socket-path", tmp_path / "nic.sock", "--memory", "64M", "--mac", "52:54:00:00:00:07").split()
    nic = Process("nic", [image.nic(), f"--socket-path={tmp_path}/nic.sock", "--uplink=null"])
    wait_until(lambda: os.path.exists(tmp_path / "nic.sock"), 10, "the socket", nic)
    guest = Process("qemu", [image.qemu(), "-nodefaults", "-display", "none", "-machine", "q35", "-S", *words])
    try:
        wait_until(lambda: "a front-end has connected" in nic.log(), 20, "QEMU", guest)
    finally:
        guest.stop()
        assert nic.stop() == 0
    assert vtcpctl_json("qemu-args", "--socket-path", tmp_path / "nic.sock", "--memory", "64M", "--mac", "52:54:00:00:00:07") == words


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_are_given_what_completes_commands(tmp_path, shell):
    script = vtcpctl("--generate-completion-script", shell)
    assert "capture" in script and "nic-control" in script
    if shutil.which(shell):
        path = tmp_path / "completion"
        path.write_text(script)
        assert subprocess.run([shell, "-n", path], capture_output=True, timeout=20).returncode == 0


def test_the_manual_page_has_every_command_and_no_mistake():
    page = os.path.join(image.REPOSITORY, "docs", "man", "vtcpctl.8")
    with open(page) as file:
        text = file.read()
    listed = vtcpctl("--help").split("SUBCOMMANDS:")[1]
    commands = [line.split()[0] for line in listed.splitlines() if line.startswith("  ") and line[2:3].isalpha() and line[2:5] != "See"]
    assert len(commands) > 14
    for command in commands:
        assert f".It Cm {command}" in text, command
    if shutil.which("man"):
        done = subprocess.run(["man", "--warnings=all", "-Tutf8", "-l", page], capture_output=True, text=True, timeout=60, env={**os.environ, "LC_ALL": "C.UTF-8"})
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        assert "vtcpctl" in done.stdout


DOMAIN = """<domain type='kvm'>
  <name>web1</name>
  <memory unit='MiB'>128</memory>
  <devices>
    <interface type='vhostuser'>
      <mac address='52:54:00:00:00:01'/>
      <source type='unix' path='/run/vtcp/web1-0.sock' mode='client'/>
      <mtu size='9000'/>
      <model type='virtio'/>
    </interface>
  </devices>
</domain>
"""


def test_the_xml_of_a_guest_is_checked_and_mended(tmp_path):
    before, after = tmp_path / "before.xml", tmp_path / "after.xml"
    before.write_text(DOMAIN)
    said = subprocess.run([image.vtcpctl(), "libvirt", "check", before, "--json"], capture_output=True, text=True, timeout=30)
    assert said.returncode == 1, said
    found = {(finding["check"], finding["verdict"]) for finding in json.loads(said.stdout)}
    assert {("memory", "bad"), ("web1-0", "bad"), ("web1-0", "note")} <= found, found
    after.write_text(vtcpctl("libvirt", "rewrite-xml", before))
    assert "<access mode='shared'/>" in after.read_text() and "host_mtu" in after.read_text()
    assert "bad" not in vtcpctl("libvirt", "check", after)
    # What is right stays as it is, octet for octet.
    assert vtcpctl("libvirt", "rewrite-xml", after) == after.read_text()
    assert vtcpctl_json("libvirt", "rewrite-xml", after)["changes"] == []
    before.write_text("<domain><name>")
    assert f"{before}:1:" in vtcpctl("libvirt", "rewrite-xml", before, status=1)
