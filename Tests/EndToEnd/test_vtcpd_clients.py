# SPDX-License-Identifier: Apache-2.0
"""Who asks the host service, and who starts it: users, the service manager, and mistakes of both."""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

import pytest
from test_vtcpd import NULL, policy, service
from vtcpbed import Network, image
from vtcpbed.host import HostService, ask
from vtcpbed.process import Process

pytestmark = pytest.mark.nic

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


def raw(host, octets, seconds=15):
    """What comes back of some octets."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(seconds)
        connection.connect(host.control)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(octets)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while data := connection.recv(1 << 16):
                answer += data
        return answer


def test_requests_that_are_none_are_refused_and_harm_nobody():
    with service() as host:
        cases = [b"\n", b"GET\n", b"GET /v1/status\n", b"GET /v1/status -1\n", b"x" * 5000, b"\xff\xfe\n", b"PUT /v1/policy 99999999999\n",
                 b"GET /v1/status 0\nmore", b"POST /v1/nics/a/rest%zz 0\n", b"GET /v1/%00 0\n"]
        for octets in cases:
            assert raw(host, octets).startswith((b"400 ", b"404 ")), octets
        for path in ("/v1/statsu", "/v1/nics/a/b/c", "/v2"):
            assert ask(host.control, "GET", path)[0] == 404
        started = time.monotonic()
        # Who says nothing is sent away, and holds up nobody.
        with socket.socket(socket.AF_UNIX) as silent:
            silent.connect(host.control)
            silent.sendall(b"PUT /v1/policy 100\nhalf")
            assert host.get("/v1/status") and time.monotonic() - started < 5
            silent.settimeout(20)
            assert silent.recv(4096).startswith(b"400 ")
        many = [socket.socket(socket.AF_UNIX) for _ in range(100)]
        for connection in many:
            connection.connect(host.control)
        assert host.get("/v1/status")
        for connection in many:
            connection.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="another user is needed")
def test_members_of_its_group_read_and_change_nothing():
    with service(NULL + "control: { group: \"64700\" }\n") as host:
        os.chmod(host.folder, 0o755)
        script = "import sys; sys.path.insert(0, sys.argv[1]); from vtcpbed.host import ask; print(ask(*sys.argv[2:5])[0])"

        def status(method, path, group):
            command = ["setpriv", "--reuid=64701", f"--regid={group}", "--clear-groups", "/usr/bin/python3", "-Bc", script,
                       str(REPOSITORY / "qemu"), host.control, method, path]
            return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)

        assert status("GET", "/v1/status", 64700).stdout.strip() == "200"
        for method, path in [("PUT", "/v1/nics/a"), ("POST", "/v1/reload"), ("POST", "/v1/shutdown"), ("DELETE", "/v1/nics/a")]:
            assert status(method, path, 64700).stdout.strip() == "403", (method, path)
        assert "PermissionError" in status("GET", "/v1/status", 64702).stderr


# The service manager


def test_the_service_manager_is_told():
    with Network() as network:
        path = os.path.join(network.folder, "manager")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(path)
            manager.settimeout(20)
            with HostService(network, policy(), NULL, prefix=["env", f"NOTIFY_SOCKET={path}"]) as host:
                assert b"READY=1" in manager.recv(4096)
                host.process.send(signal.SIGHUP)
                said = b""
                while b"RELOADING=1" not in said:
                    said = manager.recv(4096)
                while b"READY=1" not in said:
                    said = manager.recv(4096)
                assert host.end() == 0
                while b"STOPPING=1" not in said:
                    said = manager.recv(4096)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_the_unit_is_well_formed_and_gives_away_little(tmp_path):
    unit = tmp_path / "vtcpd.service"
    unit.write_text((REPOSITORY / "packaging/systemd/vtcpd.service").read_text().replace("/usr/sbin/vtcpd", "/bin/true"))
    verified = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert verified.returncode == 0 and "vtcpd.service" not in verified.stderr, verified.stderr
    said = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", unit], capture_output=True, text=True, check=False)
    level = float(said.stdout.rpartition("vtcpd.service:")[2].split()[0])
    assert level <= 3.0, said.stdout


def test_mistakes_of_the_configuration_are_told_before_anything_is_done():
    with Network() as network:
        path = os.path.join(network.folder, "bad.yaml")
        with open(path, "w") as file:
            file.write("runDirectory: here\ndefalts: { mtu: 1 }\nnics: { users: 0-9 }\n")
        for options in (["--check"], []):
            process = Process("check", [image.vtcpd(), f"--config={path}", *options], folder=network.folder)
            assert process.wait(10) == 2
        log = process.log()
        assert f"{path}:1:15: error:" in log and f"{path}:2:1: error:" in log and "did you mean defaults?" in log and f"{path}:3:16: error:" in log
