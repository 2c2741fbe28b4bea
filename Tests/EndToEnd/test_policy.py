# SPDX-License-Identifier: Apache-2.0
"""Rules decide which connections of real kernels are accelerated, and how; a file that is wrong starts nothing."""

import subprocess

import pytest
from vtcpbed import image
from vtcpbed.flows import run_flows
from vtcpbed.legs import Legs
from vtcpbed.monitoring import statistics, statistics_file

pytestmark = pytest.mark.nic

# What side a of the load listens at, in the guest, and side b, the host. Connections to the guest are left alone.
POLICY = """\
default mode=early leastRoundTrip=0   # without this a short path would be left alone
configuration alone mode=off
configuration bulk congestionAlgorithm=bic initialCongestionWindow=20
rule opener=network guestPort=5000 configuration=alone class=alone
rule destinationPort=5001 configuration=bulk class=bulk
"""


def write(folder, text):
    path = folder / "vm.policy"
    path.write_text(text)
    return str(path)


def test_guests_that_are_only_ruled_lose_nothing_and_nothing_is_done_for_them(tmp_path):
    policy = write(tmp_path, "default mode=limit congestionAlgorithm=newReno keepFactor=512 additiveIncrease=512\n")
    with statistics_file() as path:
        with Legs("delay=2ms,loss=0.5%", 1, ["--vtcp=limit", f"--policy={policy}", f"--stats-file={path}"]) as legs:
            seen = run_flows(legs.ends, 1, 60, flows=40, max_size=256 << 10, congestion="cubic")
            told = statistics(path)
    assert not seen["problems"], seen["problems"][:10]
    assert sum(entry["network_leg"]["delivered"] for entry in told["classes"]) > 1 << 20
    for leg in ("guest_leg", "network_leg"):
        assert told[leg]["retransmissions"] == told[leg]["early_acknowledgments"] == 0
    assert told["counters"]["early_octets"] == told["counters"]["accelerations"] == 0


def test_each_connection_gets_what_the_first_rule_for_it_says(tmp_path):
    with statistics_file() as path:
        options = ["--vtcp=early", f"--policy={write(tmp_path, POLICY)}", f"--stats-file={path}"]
        with Legs("delay=2ms,loss=0.5%", 1, options) as legs:
            seen = run_flows(legs.ends, 1, 60, flows=40, max_size=256 << 10, congestion="cubic")
            told = statistics(path)
    assert not seen["problems"], seen["problems"][:10]
    classes = {entry["name"]: entry for entry in told["classes"]}
    assert list(classes) == ["default", "alone", "bulk"]
    assert classes["bulk"]["flows"] > 10 and classes["default"]["flows"] == classes["alone"]["flows"] == 0
    bulk = classes["bulk"]
    assert bulk["network_leg"]["delivered"] > 0 and bulk["network_leg"]["retransmissions"] > 0
    for leg in ("guest_leg", "network_leg"):
        assert {name: bulk[leg][name] for name in told[leg]} == told[leg], "the only class that was followed"
    assert told["counters"]["untouchable_flows"] > 10, "nothing was left alone"
    assert told["counters"]["early_octets"] > 0


# Connections that change in their life, and whose headers are not what the ends wrote.
LIFE = """\
default mode=early leastRoundTrip=0
configuration small maximumSegmentSize=1000 windowClamp=64KiB ecn=clear stripOptions=timestamps,unknown
configuration snoop extends=small mode=snoop windowClamp=0
configuration off extends=small mode=off
phases life default until=established small until=20KiB snoop until=64KiB off until=100KiB default until=3s small
rule destinationPort=5001 configuration=life class=life
rule configuration=small class=small
"""


def test_connections_that_change_in_their_life_lose_nothing(tmp_path):
    with statistics_file() as path:
        options = ["--vtcp=early", f"--policy={write(tmp_path, LIFE)}", f"--stats-file={path}"]
        with Legs("delay=2ms,loss=0.5%", 1, options) as legs:
            seen = run_flows(legs.ends, 1, 60, flows=40, max_size=256 << 10, congestion="cubic")
            told = statistics(path)
    assert not seen["problems"], seen["problems"][:10]
    classes = {entry["name"]: entry for entry in told["classes"]}
    assert classes["life"]["flows"] > 10 and classes["small"]["flows"] > 10 and classes["default"]["flows"] == 0
    assert told["counters"]["early_octets"] > 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("default mod=early\nrule source=10.0.0/8 configuration=bulk\n", ["vm.policy:1:9: there is no 'mod'", "did you mean mode?", "vm.policy:2:13: '10.0.0/8' is no prefix", "vm.policy:2:36: "]),
        (None, ["vtcp-nic: error: --policy: open ", "give the path of a file with rules"]),
        ("#" * (1 << 20) + "\n", ["a policy has at most 1 MiB"]),
    ],
    ids=["mistakes", "missing", "too-large"],
)
def test_a_file_that_is_wrong_starts_nothing_and_says_where(tmp_path, text, told):
    path = str(tmp_path / "none") if text is None else write(tmp_path, text)
    words = [image.nic(), f"--socket-path={tmp_path}/socket", "--uplink", "null", "--vtcp=early", f"--policy={path}"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=20)
    assert done.returncode == 2
    for words in told:
        assert words in done.stderr, done.stderr


def test_a_policy_without_the_accelerator_is_a_mistake(tmp_path):
    words = [image.nic(), f"--socket-path={tmp_path}/socket", "--uplink", "null", f"--policy={write(tmp_path, POLICY)}"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=20)
    assert done.returncode == 2 and "add --vtcp snoop or --vtcp early" in done.stderr
