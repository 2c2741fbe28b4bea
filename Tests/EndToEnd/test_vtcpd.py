# SPDX-License-Identifier: Apache-2.0
"""The host service: NICs that come and go, and programs that die, while guests work."""

import contextlib
import os
import pathlib
import signal
import time

import pytest
from vtcpbed import Direction, Guest, Network, Transfer, ping
from vtcpbed.host import HostService, Refused
from vtcpbed.process import wait_until
from vtcpbed.traffic import MEBIBYTE

pytestmark = pytest.mark.nic

BRIDGED = "uplink: { bridge: bridge0 }\ndefaults: { mode: \"early,always\" }\n"
NULL = "uplink: { default: \"null\" }\ndefaults: { mode: early }\n"


def policy(buffer="1MiB", extra=""):
    return f"""apiVersion: vtcp/v1
classes:
  base: {{ earlyAck: on, buffer: {buffer} }}
  gold: {{ extends: base, weight: 50 }}
  "off": {{ earlyAck: off, buffer: 0 }}
rules:
  - name: ssh
    match: {{ opener: network, guestPort: 22 }}
    class: "off"
  - name: db
    match: {{ vm: "db-*", opener: guest, dport: 873 }}
    class: gold
default: base
{extra}"""


@contextlib.contextmanager
def service(configuration=NULL, text=None, bridge=False, **options):
    with Network() as network:
        if bridge:
            network.add_bridge()
        with HostService(network, policy() if text is None else text, configuration, **options) as host:
            yield host
            assert not host.process.ended(), f"vtcpd has ended\n{host.process.log_tail()}"


@contextlib.contextmanager
def guest_on(host, name="web1", queues=1, **options):
    """A guest on a NIC of the service's, with a port on the bridge; QEMU's events are recorded from the beginning."""
    host.add(name, queues=queues, vm=name)
    with Guest(host.network, host.device(name, queues), **options) as guest:
        guest.qmp("query-status")
        yield guest
        guest.qmp("query-status")
        lost = [event for event in guest.events if event["event"] == "NETDEV_VHOST_USER_DISCONNECTED"]
        assert not lost, f"QEMU has seen {len(lost)} disconnects\n{host.process.log_tail()}"
        assert not guest.process.ended(), guest.process.log_tail()


def both_ways(guest, size=192 * MEBIBYTE):
    return [Transfer(guest, Direction.TRANSMIT, 2 * size), Transfer(guest, Direction.RECEIVE, size // 3, slowly=True)]


@contextlib.contextmanager
def transfers(guest):
    """A transfer in each direction, over connections that must last; what arrived is compared at the end."""
    running = both_ways(guest)
    try:
        yield running
        for transfer in running:
            transfer.finish()
    finally:
        for transfer in running:
            transfer.cancel()


def wait_progress(running, octets=2 * MEBIBYTE):
    """Waits until each has moved so much, or is over. Returns whether one goes on."""
    goals = [transfer.progress() + octets for transfer in running]
    wait_until(lambda: all(t.progress() > goal or not t.running() for t, goal in zip(running, goals)), 60, "both transfers go on")
    return any(transfer.running() for transfer in running)


# NICs


def test_a_nic_of_port_add_carries_a_guests_traffic_and_goes_without_a_trace():
    with service(BRIDGED, bridge=True) as host:
        with guest_on(host) as guest:
            assert ping(guest) == 3
            for direction in Direction:
                Transfer(guest, direction, 16 * MEBIBYTE).finish()
            nic = host.nic("web1")
            assert nic["state"] == "running" and nic["policy"]["inForce"] is True and nic["uplink"] == "tap:web1"
            figures = host.get("/v1/nics/web1/statistics")
            assert figures["process"]["running"] is True and figures["counters"]["flows"] >= 2
        pid = host.pid("web1")
        host.remove("web1")
        assert not os.path.exists(f"/proc/{pid}/exe") and host.get("/v1/nics")["nics"] == []
        assert os.listdir(host.run_directory + "/nics") == [] and os.listdir(host.state_directory + "/ports") == []
        assert not os.path.exists(host.device("web1").path)
        assert "web1" not in host.network.ip("link")


def test_settings_that_can_not_be_are_refused_and_leave_nothing():
    with service() as host:
        cases = [
            (".hidden", {}, 400, "begins with none"),
            ("x" * 65, {}, 400, "at most 64"),
            ("control", {}, 400, "the service's own socket"),
            ("a", {"queues": 65}, 400, "request:1:"),
            ("a", {"quues": 1}, 400, "did you mean queues?"),
            ("a", {"uplink": "packet:nosuchif"}, 409, "nosuchif"),
            ("a", {"uplink": "tap:web1", "bridge": "nobridge"}, 409, "is there such a bridge?"),
            ("a", {"class": "platinum"}, 400, "platinum"),
        ]
        for name, settings, status, part in cases:
            with pytest.raises(Refused) as refusal:
                host.add(name, **settings)
            assert refusal.value.status == status and part in str(refusal.value), (name, settings, str(refusal.value))
        assert host.get("/v1/nics")["nics"] == []
        assert sorted(os.listdir(host.run_directory)) == ["control.sock", "nics", "vtcpd.lock"]
        assert os.listdir(host.run_directory + "/nics") == []


def test_a_nic_is_made_once_and_changes_what_can_be_changed():
    with service() as host:
        first = host.add("a", vm="a")
        again = host.add("a", vm="db-1", **{"class": "gold"})
        assert again["pid"] == first["pid"] and again["vm"] == "db-1" and again["class"] == "gold"
        with pytest.raises(Refused) as refusal:
            host.add("a", queues=2)
        assert refusal.value.status == 409 and "queues" in str(refusal.value)
        with pytest.raises(Refused) as refusal:
            host.nic("b" * 3)
        assert refusal.value.status == 404
        with pytest.raises(Refused) as refusal:
            host.post("/v1/nics/b/restart")
        assert "did you mean a?" in str(refusal.value)


def test_a_program_that_can_not_run_is_told_and_given_up_by_no_one():
    with service(NULL + "nics: { options: [--poll=sometimes] }\nrestart: { deaths: 3, firstDelay: 20ms, longestDelay: 50ms }\n") as host:
        with host.events() as events:
            with pytest.raises(Refused) as refusal:
                host.add("a")
            assert refusal.value.status == 409 and "ended with status 2" in str(refusal.value)
            deaths = []
            for event in events:
                if event["event"] == "nic-died":
                    deaths.append(event["text"])
                if len(deaths) == 4:
                    break
        assert "without the front-end's session" not in deaths[1] and "without the front-end's session" in deaths[2]
        host.remove("a")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give NICs users of their own")
def test_each_nic_runs_as_a_user_of_its_own_without_capabilities():
    configuration = NULL + "nics: { users: 64000-64001, group: \"64500\" }\nsockets: { group: \"64600\" }\n"
    with service(configuration) as host:
        for number, name in enumerate(["a", "b"]):
            host.add(name)
            pid = host.pid(name)
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
            assert set(fields["Uid"].split()) == {str(64000 + number)} and set(fields["Gid"].split()) == {"64500"}
            assert fields["Groups"].split() in ([], ["64500"])
            assert all(int(fields[kind], 16) == 0 for kind in ("CapPrm", "CapEff", "CapInh", "CapAmb"))
            socket_status = os.stat(host.device(name).path)
            assert socket_status.st_mode & 0o777 == 0o660 and socket_status.st_gid == 64600
            # All the same it is asked and read.
            assert host.get(f"/v1/nics/{name}/statistics")["process"]["running"] is True
        with pytest.raises(Refused) as refusal:
            host.add("c")
        assert "64000" in str(refusal.value)
        before = host.pid("a")
        host.restart()
        assert host.pid("a") == before
        host.kill_nic("a")
        host.wait_running(["a"], besides=[before])
        host.put_policy(policy("2MiB"))
        assert host.nic("a")["policy"]["inForce"] is True


def test_what_it_needs_not_is_given_up():
    with service() as host:
        status = pathlib.Path(f"/proc/{host.process.pid}/status").read_text()
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        # CHOWN, SETPCAP, NET_ADMIN, NET_RAW
        assert int(fields["CapPrm"], 16) & ~0b11_0001_0000_0001 == 0
        assert int(fields["CapBnd"], 16) & ~0b11_0001_0000_0001 == 0


# Programs that die


@pytest.mark.parametrize("packed", [False, True], ids=["split", "packed"])
def test_a_killed_nic_is_followed_by_one_that_goes_on(packed):
    with service(BRIDGED, bridge=True) as host, guest_on(host, packed=packed) as guest, transfers(guest) as running:
        killed = 0
        for _ in range(10):
            if not wait_progress(running):
                break
            # Longer than what counts as a death right after the start.
            time.sleep(1)
            pid = host.kill_nic("web1")
            killed += 1
            host.wait_running(["web1"], besides=[pid])
        assert killed >= 3, "the transfers were over too soon: the test shows nothing"
        assert host.nic("web1")["deaths"] == killed


@pytest.mark.parametrize("kill", [True, False], ids=["killed", "ended"])
def test_nics_go_on_without_the_service_and_the_next_one_finds_them(kill):
    with service(BRIDGED, bridge=True) as host, guest_on(host) as guest, transfers(guest) as running:
        for _ in range(3):
            assert wait_progress(running), "the transfers were over too soon: the test shows nothing"
            before = host.nic("web1")
            host.restart(kill)
            after = host.nic("web1")
            assert (after["pid"], after["kept"]) == (before["pid"], before["kept"])
            time.sleep(1)
            # What was given into its keeping is whole: a NIC that dies now is followed too.
            pid = host.kill_nic("web1")
            host.wait_running(["web1"], besides=[pid])
            assert host.nic("web1")["policy"]["inForce"] is True


def test_a_nic_hands_over_to_its_next_version_under_load():
    with service(BRIDGED, bridge=True) as host, guest_on(host) as guest, transfers(guest) as running:
        for _ in range(5):
            wait_progress(running)
            before = host.pid("web1")
            answer = host.post("/v1/nics/web1/upgrade")
            assert answer["before"] == before and answer["nic"]["pid"] != before
        assert host.nic("web1")["deaths"] == 0


def test_a_nic_that_died_while_nobody_looked_is_started():
    with service() as host:
        host.add("a")
        pid = host.pid("a")
        host.kill()
        os.kill(pid, signal.SIGKILL)
        host.start()
        host.wait_running(["a"])
        assert host.pid("a") != pid


def test_an_end_for_good_ends_all_nics_and_another_end_none():
    with Network() as network, HostService(network, policy(), NULL) as host:
        pids = []
        for name in ("a", "b"):
            host.add(name)
            pids.append(host.pid(name))
        assert host.end() == 0
        assert all(os.path.exists(f"/proc/{pid}/exe") for pid in pids)
        host.start()
        host.wait_running()
        assert [host.pid(name) for name in ("a", "b")] == pids
        assert host.shut_down() == 0
        assert not any(os.path.exists(f"/proc/{pid}/exe") for pid in pids)
        assert not os.path.exists(host.control)


def test_only_one_serves_a_directory():
    with service() as host:
        second = host.network.start("second", host.command)
        assert second.wait(10) == 1 and "another vtcpd serves" in second.log()
        assert host.get("/v1/status")["nics"] == 0


# Many


def test_sixty_four_nics_and_the_death_of_one_is_no_others_business(record_property):
    with service(BRIDGED, bridge=True) as host:
        started = time.monotonic()
        for number in range(63):
            host.add(f"n{number}")
        record_property("seconds to start 63", round(time.monotonic() - started, 2))
        with guest_on(host) as guest:
            host.wait_running()
            pids = {nic["name"]: nic["pid"] for nic in host.get("/v1/nics")["nics"]}
            assert len(pids) == 64
            address = host.network.addresses.host()
            assert ping(guest) == 3
            answer = guest.start(f"ping -q -c 600 -i 0.02 -W 5 {address}", "/tmp/ping")
            for number in range(63):
                os.kill(pids[f"n{number}"], signal.SIGKILL)
                time.sleep(0.1)
            guest.sh(f"while kill -0 {answer} 2>/dev/null; do sleep 0.1; done", 60)
            said = guest.sh("cat /tmp/ping")
            assert "600 packets transmitted, 600 packets received" in said, said
            host.wait_running(besides=[pids[f"n{number}"] for number in range(63)])
        time.sleep(1)
        idle = [f"/proc/{host.pid(f'n{number}')}" for number in range(63)]
        memory = sorted(anonymous(path) for path in idle)
        record_property("KiB of an idle NIC's own, median", memory[len(memory) // 2])
        record_property("KiB of vtcpd's own", anonymous(f"/proc/{host.process.pid}"))
        assert memory[-1] < 64 * 1024
        switches, cpu = host.process.context_switches(), host.process.cpu_seconds()
        time.sleep(5)
        # One request has come in between at the most: nobody is asked.
        assert host.process.context_switches() - switches <= 2 and host.process.cpu_seconds() - cpu < 0.05
        print(f"\nmemory of an idle NIC {memory[len(memory) // 2]} KiB (largest {memory[-1]}), of vtcpd {anonymous(f'/proc/{host.process.pid}')} KiB")


def anonymous(path):
    """KiB that are a process's alone: not those of files."""
    with open(f"{path}/smaps_rollup") as file:
        rows = dict(line.split(":", 1) for line in file if line.startswith(("Private_Dirty", "Private_Clean")))
    return int(rows["Private_Dirty"].split()[0])
