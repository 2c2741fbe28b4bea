# SPDX-License-Identifier: Apache-2.0
"""HTTP for vtcpd: vtcp-api beside a real vtcpd with NICs."""

import concurrent.futures
import http.client
import json
import os
import socket
import stat
import subprocess
import venv

import pytest
from vtcpbed import Network, image
from vtcpbed.host import HostService
from vtcpbed.process import wait_until

pytestmark = pytest.mark.nic

POLICY = """\
apiVersion: vtcp/v1
classes:
  base: {earlyAck: on}
  gold: {extends: base, buffer: 2MiB}
default: base
"""
TOKEN = "0123456789abcdef0123456789abcdef"


def listens(path):
    """Whether somebody accepts connections there."""
    with socket.socket(socket.AF_UNIX) as attempt:
        try:
            attempt.connect(path)
        except OSError:
            return False
    return True


class LocalConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path, seconds=30):
        super().__init__("localhost", timeout=seconds)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def ask(connection, method, path, body=None, headers=None):
    """(status, value, headers); of a body that is no JSON the text."""
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    text = answer.read().decode()
    kind = answer.getheader("Content-Type", "")
    return answer.status, json.loads(text) if kind.startswith("application/json") else text, answer


class Gateway:
    def __init__(self, network, host, options=()):
        self.socket = os.path.join(host.folder, "api.sock")
        command = [image.api(), f"--control-socket={host.control}", f"--socket={self.socket}", *options]
        self.process = network.start("vtcp-api", command)
        wait_until(lambda: listens(self.socket), 20, "vtcp-api listens", self.process)

    def ask(self, method, path, body=None, headers=None):
        connection = LocalConnection(self.socket)
        try:
            return ask(connection, method, path, body, headers)[:2]
        finally:
            connection.close()


@pytest.fixture(scope="module")
def served():
    with Network() as network, HostService(network, POLICY, "uplink: {default: 'null'}\n") as host:
        gateway = Gateway(network, host)
        yield network, host, gateway
        assert gateway.process.stop() == 0


def test_what_vtcpd_answers_comes_by_http_as_it_is(served):
    _, host, gateway = served
    status, value = gateway.ask("PUT", "/v1/nics/web1-0", json.dumps({"vm": "web1", "class": "gold"}))
    assert (status, value["name"], value["vm"]) == (200, "web1-0", "web1")
    assert os.path.exists(value["socket"])
    status, value = gateway.ask("GET", "/v1/nics")
    assert status == 200 and [nic["name"] for nic in value["nics"]] == ["web1-0"]
    status, value = gateway.ask("GET", "/v1/status")
    assert status == 200 and value["nics"] == 1 and value["pid"] == host.get("/v1/status")["pid"]
    status, value = gateway.ask("DELETE", "/v1/nics/web1-0")
    assert (status, value) == (200, {"removed": "web1-0"})


def test_mistakes_keep_their_status_and_their_places(served):
    _, _, gateway = served
    status, value = gateway.ask("PUT", "/v1/policy", "apiVersion: vtcp/v1\nclasses:\n  base: {bufer: 1MiB}\ndefault: base\n")
    assert status == 400 and any(":3:10:" in line and "buffer" in line for line in value["mistakes"]), value
    assert gateway.ask("GET", "/v1/nics/nobody")[0] == 404
    assert gateway.ask("GET", "/v1/nicks")[0] == 404
    status, value = gateway.ask("PATCH", "/v1/status")
    assert status == 405 and "GET, PUT, POST and DELETE" in value["error"]
    assert gateway.ask("PUT", "/v1/policy", b"#" * ((4 << 20) + 1))[0] == 413


def test_its_socket_is_for_user_and_group_only(served):
    assert stat.S_IMODE(os.stat(served[2].socket).st_mode) == 0o660


def test_events_come_while_they_happen(served):
    _, host, gateway = served
    connection = LocalConnection(gateway.socket)
    try:
        connection.request("GET", "/v1/events", headers={"Accept": "text/event-stream"})
        answer = connection.getresponse()
        assert answer.getheader("Content-Type") == "text/event-stream"
        host.add("event-0")
        for line in iter(answer.readline, b""):
            if line.startswith(b"data: ") and b"event-0" in line:
                break
        else:
            pytest.fail("the events ended")
    finally:
        connection.close()
        host.remove("event-0")


def test_over_tcp_only_who_knows_the_token(served, tmp_path):
    network, host, _ = served
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    file.chmod(0o644)
    command = [image.api(), f"--control-socket={host.control}", f"--socket={tmp_path}/api", "--listen=8080"]
    said = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert said.returncode == 2 and "--token-file" in said.stderr
    said = subprocess.run([*command, f"--token-file={file}"], capture_output=True, text=True, timeout=20)
    assert said.returncode == 2 and "chmod 600" in said.stderr
    file.chmod(0o600)
    process = network.start("vtcp-api-tcp", [*command, f"--token-file={file}"])
    wait_until(lambda: "serving" in process.log(), 20, "vtcp-api listens", process)
    ask_by_curl = ["curl", "--silent", "--max-time", "10", "--write-out", "%{http_code}", "--output", "/dev/null"]
    for address in ("127.0.0.1", "[::1]"):
        url = f"http://{address}:8080/v1/status"
        for header, status in ((None, "401"), ("Bearer wrong", "401"), (f"Bearer {TOKEN[:-1]}0", "401"), (f"Bearer {TOKEN}", "200")):
            headers = ["--header", f"Authorization: {header}"] if header else []
            assert network.run(*ask_by_curl, *headers, url).strip() == status, (address, header)
    assert process.stop() == 0


def test_many_at_once_are_answered(served):
    _, _, gateway = served
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(lambda _: gateway.ask("GET", "/v1/status")[0], range(240)))
    assert set(answers) == {200}


def test_a_vtcpd_that_does_not_run_is_told(served):
    network, host, _ = served
    path = os.path.join(host.folder, "api2.sock")
    process = network.start("vtcp-api-alone", [image.api(), f"--control-socket={host.folder}/nobody", f"--socket={path}"])
    wait_until(lambda: listens(path), 20, "vtcp-api listens", process)
    connection = LocalConnection(path)
    status, value, _ = ask(connection, "GET", "/v1/status")
    assert status == 503 and "vtcpd does not run" in value["error"]
    connection.close()
    assert process.stop() == 0
    assert not os.path.exists(path)


@pytest.fixture(scope="module")
def schemathesis():
    """From PyPI, which Debian has not; in an environment of its own in the cache."""
    folder = os.path.join(image.CACHE, "schemathesis")
    program = os.path.join(folder, "bin", "schemathesis")
    if not os.path.exists(program):
        venv.create(folder, with_pip=True, clear=True)
        pip = [os.path.join(folder, "bin", "python3"), "-m", "pip", "install", "--quiet", "schemathesis>=4,<5"]
        subprocess.run(pip, check=True, timeout=300, stdin=subprocess.DEVNULL)
    return program


def test_its_openapi_document_is_true(served, schemathesis):
    """Whatever a caller sends, the answers are as the document has them, and none is a defect's."""
    network, host, gateway = served
    status, document = gateway.ask("GET", "/v1/openapi.yaml")
    assert status == 200
    path = os.path.join(host.folder, "openapi.yaml")
    with open(path, "w") as file:
        file.write(document)
    bridge = network.start("bridge", ["socat", "TCP4-LISTEN:8090,fork,bind=127.0.0.1", f"UNIX-CONNECT:{gateway.socket}"])
    checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
    command = [
        # It writes where it is.
        *("env", f"--chdir={host.folder}", schemathesis, "run", path, "--url", "http://127.0.0.1:8090", "--checks", checks, "--max-examples", "25", "--seed", "1"),
        # Without end, and the end of the others.
        *("--exclude-path", "/v1/events", "--request-timeout", "20", "--no-color", "--phases", "examples,coverage,fuzzing"),
        *("--exclude-deprecated", "--generation-database", "none"),
    ]
    said = network.run(*command, seconds=240)
    assert "No issues found" in said or "passed" in said, said
    bridge.stop()
    # And the service is as well as before.
    assert gateway.ask("GET", "/v1/status")[0] == 200
    assert not host.process.ended()
