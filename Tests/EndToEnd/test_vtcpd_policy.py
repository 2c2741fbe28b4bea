# SPDX-License-Identifier: Apache-2.0
"""The host service's policies: mistaken ones, revisions, overrides, and a thousand changes under load."""

import os
import pathlib
import signal

import pytest
from test_vtcpd import BRIDGED, guest_on, policy, service, transfers
from vtcpbed.host import Refused
from vtcpbed.process import wait_until

pytestmark = pytest.mark.nic

BAD_POLICY = policy(extra="  what\n").replace("weight: 50", "wieght: 50").replace("dport: 873", "dport: 99999")


def test_a_policy_with_mistakes_changes_nothing_and_all_of_them_are_told():
    with service() as host:
        host.add("a")
        before = host.get("/v1/policy")
        for change in (lambda: host.put_policy(BAD_POLICY), lambda: host.post("/v1/policy/check", BAD_POLICY)):
            with pytest.raises(Refused) as refusal:
                change()
            assert refusal.value.status == 400 and len(refusal.value.mistakes) >= 2
            assert any("policy.yaml:4:" in line and "did you mean weight?" in line for line in refusal.value.mistakes)
        after = host.get("/v1/policy")
        assert after["revision"] == before["revision"] and after["files"] == before["files"]
        # And by the file.
        host.write_policy(BAD_POLICY)
        host.process.send(signal.SIGHUP)
        wait_until(lambda: host.get("/v1/status")["policy"]["failure"], 10, "the mistakes are known")
        with pytest.raises(Refused):
            host.post("/v1/reload")
        assert host.get("/v1/policy")["revision"] == before["revision"]
        # A service that starts with it goes on with the last good one.
        host.restart()
        assert host.get("/v1/policy")["files"] == before["files"]
        assert host.nic("a")["policy"]["inForce"] is True


def test_a_policy_comes_into_force_is_remembered_and_gone_back_to():
    with service() as host:
        host.add("a")
        first = host.get("/v1/policy")["revision"]
        answer = host.put_policy(policy("2MiB"))
        assert answer["revision"] == first + 1 and answer["changed"] and answer["nics"][0]["inForce"] is True
        assert host.put_policy(policy("2MiB"))["changed"] is False
        host.restart()
        assert "2MiB" in host.get("/v1/policy")["files"][0]["text"], "what was set by a request outlives the service"
        answer = host.post("/v1/policy/rollback", revision=first)
        assert answer["revision"] == first + 2 and "1MiB" in host.get("/v1/policy")["files"][0]["text"]
        history = host.get("/v1/policy/history")["revisions"]
        assert [entry["reason"] for entry in history] == [f"rollback to {first}", "set", "start"]
        assert history[1]["user"] == os.geteuid() and len(history[1]["sha256"]) == 64
        with pytest.raises(Refused) as refusal:
            host.post("/v1/policy/rollback", revision=99)
        assert refusal.value.status == 404
        host.write_policy(policy("4MiB"))
        assert host.post("/v1/reload")["revision"] == first + 3


def test_what_a_policy_does_and_would_change_is_explained():
    with service() as host:
        host.add("a", vm="db-1")
        answer = host.post("/v1/policy/explain", {"flow": "tcp 10.0.0.1:40000 > 10.0.0.2:873", "vm": "db-1"})
        assert "db" in answer["text"] and "gold" in answer["text"]
        answer = host.post("/v1/policy/explain", {"flow": "tcp 10.0.0.9:40000 > 10.0.0.1:22 opener=network", "nic": "a"})
        assert "off" in answer["text"]
        with pytest.raises(Refused) as refusal:
            host.post("/v1/policy/explain", {"flow": "from here to there", "nic": "a"})
        assert refusal.value.status == 400
        assert "text" in host.post("/v1/policy/diff", policy("4MiB"))


def test_an_override_holds_for_its_time():
    with service() as host, host.events() as events:
        host.add("a")
        digest = pathlib.Path(host.run_directory, "nics/a.policy").read_text()
        answer = host.post("/v1/overrides", {"key": "buffer", "value": "4MiB", "ttl": "2s", "nic": "a"})
        assert answer["nics"][0]["inForce"] is True
        assert pathlib.Path(host.run_directory, "nics/a.policy").read_text() != digest
        assert host.get("/v1/overrides")["overrides"][0]["key"] == "buffer"
        assert any(event["event"] == "override-ended" for event in events)
        wait_until(lambda: pathlib.Path(host.run_directory, "nics/a.policy").read_text() == digest, 10, "the policy is as before")
        assert host.get("/v1/overrides")["overrides"] == []
        with pytest.raises(Refused) as refusal:
            host.post("/v1/overrides", {"key": "bufer", "value": "4MiB", "ttl": "2s"})
        assert "buffer" in str(refusal.value) and host.get("/v1/overrides")["overrides"] == []


def test_a_thousand_reloads_under_load_drop_no_connection():
    with service(BRIDGED, bridge=True) as host, guest_on(host) as guest, transfers(guest) as running:
        for number in range(1000):
            answer = host.put_policy(policy(f"{1 + number % 7}MiB"))
            assert answer["nics"][0]["inForce"] is True, answer
        assert any(transfer.running() for transfer in running) or number == 999
        assert host.nic("web1")["deaths"] == 0
