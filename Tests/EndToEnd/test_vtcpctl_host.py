# SPDX-License-Identifier: Apache-2.0
"""The command line of administrators against vtcpd."""

import json
import socket
import time

import pytest
from vtcpbed import Network
from vtcpbed.control import capturing, packets, vtcpctl, vtcpctl_json
from vtcpbed.host import HostService
from vtcpbed.process import Process, wait_until
from vtcpbed import image

pytestmark = pytest.mark.nic

POLICY = """apiVersion: vtcp/v1
classes:
  base: {earlyAck: on, buffer: 256KiB}
  bulk: {extends: base, buffer: 1MiB}
rules:
  - {name: web, match: {dport: 80}, class: bulk}
default: base
"""


@pytest.fixture
def host():
    with Network() as network, HostService(network, POLICY) as service:
        yield service


def add(host, name="web1-0", **options):
    words = [word for key, value in {"uplink": "null", "mode": "early", "vm": "web1", **options}.items() for word in (f"--{key}", value)]
    return vtcpctl_json("port", "add", name, *words, "--socket", host.control)


def ask(host, *words):
    return vtcpctl_json(*words, "--socket", host.control)


def is_draining(nic):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(nic["control"])
        connection.sendall(b"status\n")
        with connection.makefile() as answer:
            return "draining 1\n" in answer.readlines()


def test_nics_are_made_told_drained_upgraded_and_ended(host):
    assert ask(host, "status")["nics"] == 0
    made = add(host)
    assert made["name"] == "web1-0" and made["mode"] == "early"
    add(host, "db1-0", vm="db1", mode="off")
    table = vtcpctl("nics", "--socket", host.control).splitlines()
    assert table[0].startswith("NAME") and [line.split()[0] for line in table[1:]] == ["db1-0", "web1-0"]
    assert ask(host, "nics", "web1-0")["pid"] == made["pid"] or made["pid"] is None
    # Without a name, of all that have something to tell.
    assert ask(host, "flows") == [] and "web1-0 statistics:" in vtcpctl("stats", "--socket", host.control)
    assert ask(host, "stats", "web1-0")[0]["statistics"]["counters"]["flows"] == 0
    assert "drained" in ask(host, "drain", "web1-0") and is_draining(made)
    assert ask(host, "drain", "--off", "web1-0") == {"draining": False} and not is_draining(made)
    vtcpctl("drain", "--nic-control", made["control"])
    assert is_draining(made)
    before = ask(host, "nics", "web1-0")["pid"]
    ask(host, "upgrade", "web1-0")
    wait_until(lambda: ask(host, "nics", "web1-0")["pid"] not in (before, None), 20, "the new process")
    words = vtcpctl("qemu-args", "web1-0", "--memory", "1G", "--socket", host.control)
    assert f"path={made['socket']}," in words
    assert ask(host, "port", "remove", "web1-0") and [nic["name"] for nic in ask(host, "nics")] == ["db1-0"]
    assert "web1-0" in vtcpctl("port", "remove", "web1-0", "--socket", host.control, status=1)
    assert "mtu" in vtcpctl("port", "add", "x", "--mtu", "1", "--socket", host.control, status=1)


def test_policies_are_checked_compared_applied_and_taken_back(host, tmp_path):
    add(host)
    first = ask(host, "status")["policy"]["revision"]
    bad, good = tmp_path / "bad.yaml", tmp_path / "good.yaml"
    bad.write_text(POLICY.replace("bulk: {extends: base,", "bulk: {extends: bsae,"))
    good.write_text(POLICY.replace("dport: 80", "dport: 81"))
    for command in ("check", "apply", "diff"):
        said = vtcpctl("policy", command, bad, "--socket", host.control, status=1)
        assert f"{bad}:4:" in said, said
    assert ask(host, "status")["policy"]["revision"] == first
    assert ask(host, "policy", "check", good)["warnings"] == []
    vtcpctl("policy", "diff", good, "--socket", host.control)
    assert ask(host, "policy", "apply", good)["revision"] == first + 1
    assert "dport: 81" in vtcpctl("policy", "show", "--socket", host.control)
    history = ask(host, "policy", "history")["revisions"]
    assert [entry["revision"] for entry in history][:2] == [first + 1, first]
    assert "REVISION" in vtcpctl("policy", "history", "--socket", host.control)
    flow = "tcp 10.0.0.1:5000 > 10.0.0.2:81"
    assert "bulk" in vtcpctl("explain", "--nic", "web1-0", flow, "--socket", host.control)
    ask(host, "policy", "rollback", first)
    assert "dport: 80" in vtcpctl("policy", "show", "--socket", host.control)
    other = vtcpctl("explain", "--nic", "web1-0", flow, "--socket", host.control)
    assert "web" not in other.split("not taken")[0]
    assert "bulk" in vtcpctl("explain", "--vm", "web1", "--file", good, flow, "--socket", host.control)
    assert json.dumps(ask(host, "explain", "--nic", "web1-0", flow))


def test_overrides_hold_for_their_time(host):
    add(host)
    (made,) = [ask(host, "override", "set", "--nic", "web1-0", "--ttl", "10m", "earlyAck=off")]
    (listed,) = ask(host, "override", "list")["overrides"]
    assert listed["id"] == made["id"] and made["id"] in vtcpctl("override", "list", "--socket", host.control)
    assert "override" in vtcpctl("explain", "--nic", "web1-0", "tcp 10.0.0.1:1 > 10.0.0.2:2", "--socket", host.control)
    ask(host, "override", "remove", made["id"])
    assert ask(host, "override", "list")["overrides"] == []
    assert made["id"] in vtcpctl("override", "remove", made["id"], "--socket", host.control, status=1)


def test_what_happens_is_observed_and_frames_are_captured(host, tmp_path):
    observing = Process("observe", [image.vtcpctl(), "observe", "-f", "--socket", host.control, "--count", "2"])
    # Nothing shows when it has begun to listen: something happens until it has heard of it.
    for number in range(20):
        add(host, f"seen{number}")
        if observing.ended():
            break
        time.sleep(0.5)
    assert observing.wait(5) == 0 and "seen" in observing.log()
    add(host)
    path = str(tmp_path / "quiet.pcapng")
    with capturing(["web1-0", "--socket", host.control], path) as said:
        pass
    assert said[-1] == "0 packets, 0 missed" and packets(path, "frame.number") == []
