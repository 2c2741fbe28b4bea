# SPDX-License-Identifier: Apache-2.0
"""Scripts/bench: what it measures makes sense, and nothing of it stays. Who is faster is no matter of a test."""

import json
import os
import signal
import subprocess
import sys
import xml.dom.minidom

import pytest
from vtcpbed import image
from vtcpbed.process import wait_until

pytestmark = pytest.mark.nic


def start_bench(folder, *words):
    """The second half of Scripts/bench, with the programs that are there, in a session of its own."""
    paths = [os.path.join(image.REPOSITORY, name) for name in ("bench", "qemu")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "VTCP_NIC": image.nic(), "VTCP_BENCH": image.bench()}
    command = [sys.executable, "-B", "-u", "-m", "vtcpbench", "--quick", "--seconds", "0.5", "--output", str(folder), *words]
    return subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        # A shell that started these tests in the background has had SIGINT ignored, which is inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def left_over(process):
    """Folders of its sessions, and processes that write into one of them."""
    prefix = f"/tmp/vtcp-bed-{process.pid}-"
    found = [name for name in os.listdir("/tmp") if f"/tmp/{name}".startswith(prefix)]
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{pid}/fd/2").startswith(prefix):
                found.append(pid)
        except OSError:
            pass
    return found


def test_the_bench_measures_and_reports(tmp_path):
    words = ["--only", "tcp,latency,packets,null,idle", "--peers", "ours,c,veth", "--works"]
    process = start_bench(tmp_path, *words, "transmit-1,receive-1,round-trip,transmit-60,transmit-64,idle")
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    with open(tmp_path / "results.json") as file:
        results = json.load(file)
    failed = [sample for sample in results["samples"] if "error" in sample]
    assert not failed, failed
    median = {(row["part"], row["work"], row["peer"], row["metric"]): row["median"] for row in results["summary"]}
    for peer in ("ours", "c"):
        for work in ("transmit-1", "receive-1"):
            # 0.3 Gbit/s would be frames of 1,500 octets one by one: no large segment, no batch.
            assert median["tcp", work, peer, "gigabits_per_second"] > 0.3
            assert 0.01 < median["tcp", work, peer, "cpu_seconds_per_gigabyte"] < 5
            assert median["tcp", work, peer, "cpu_percent"] < 101
        assert 5 < median["latency", "round-trip", peer, "p50_us"] <= median["latency", "round-trip", peer, "p99_us"]
        assert median["packets", "transmit-60", peer, "packets_per_second"] > 20_000
        assert median["null", "transmit-64", peer, "packets_per_second"] > 100_000
        assert median["idle", "idle", peer, "idle_cpu_percent"] < 5
        assert 0 < median["idle", "idle", peer, "start_up_ms"] < 5000
        assert median["idle", "idle", peer, "rss_anonymous_mib"] > 0
    assert median["tcp", "transmit-1", "veth", "gigabits_per_second"] > median["tcp", "transmit-1", "c", "gigabits_per_second"]
    assert {row["text"] for row in results["requirements"] if row["met"] is not None}
    assert "Required" in output and "vtcp-nic" in output
    assert xml.dom.minidom.parse(str(tmp_path / "results.svg")).documentElement.tagName == "svg"
    assert not left_over(process)


def test_packets_of_a_guest_are_counted_by_their_size(tmp_path):
    process = start_bench(tmp_path, "--only", "large-send", "--peers", "64k,512k", "--works", "bulk-ipv4,questions-ipv4")
    output, _ = process.communicate(timeout=180)
    assert process.returncode == 0, output
    with open(tmp_path / "results.json") as file:
        results = json.load(file)
    assert not [sample for sample in results["samples"] if "error" in sample], results["samples"]
    median = {(row["work"], row["peer"], row["metric"]): row["median"] for row in results["summary"]}
    packets = [median["bulk-ipv4", peer, "guest_packets_per_mebibyte"] for peer in ("64k", "512k")]
    # 16 and 2 of full size; a guest that is late fills them less.
    assert 14 < packets[0] < 40 and 1.9 < packets[1] < packets[0] / 2
    for peer in ("64k", "512k"):
        assert median["bulk-ipv4", peer, "gigabits_per_second"] > 0.3
        assert 0.01 < median["bulk-ipv4", peer, "cpu_seconds_per_gigabyte"] < 5
        assert 5 < median["questions-ipv4", peer, "p50_us"] <= median["questions-ipv4", peer, "p99_us"]
    judged = {row["metric"] for row in results["requirements"] if row["met"] is not None}
    assert judged == {"guest_packets_per_mebibyte", "gigabits_per_second", "cpu_seconds_per_gigabyte", "p99_us"}
    assert not left_over(process)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_nothing_of_an_interrupted_bench_stays(tmp_path, number):
    process = start_bench(tmp_path, "--only", "hogs", "--peers", "ours", "--seconds", "30")
    # The namespace's holder, the back-end, the generator, three hogs.
    wait_until(lambda: sum(name.isdigit() for name in left_over(process)) >= 6, 30, "its processes")
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode != 0
    # Folders of a program that was killed are removed by the next one.
    wait_until(lambda: not any(name.isdigit() for name in left_over(process)), 10, "the end of its processes")
