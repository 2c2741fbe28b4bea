# SPDX-License-Identifier: Apache-2.0
"""What a NIC of the host service may have: memory, files, a control group of its own."""

import os
import re

import pytest
from vtcpbed import Network
from vtcpbed.groups import ControlGroup
from vtcpbed.host import HostService, Refused

pytestmark = pytest.mark.nic


def limit(pid, name):
    """Of a process, as /proc has it: the soft one."""
    with open(f"/proc/{pid}/limits") as file:
        return next(line.split()[len(name.split())] for line in file if line.startswith(name))


def group_of(pid):
    with open(f"/proc/{pid}/cgroup") as file:
        return re.search(r"^0::(.*)$", file.read(), re.MULTILINE)[1]


def test_each_nic_is_in_a_control_group_of_its_own_and_so_is_who_follows_it():
    group = ControlGroup("nics")
    try:
        with Network() as network:
            hierarchy = os.path.join(network.folder, "groups")
            os.mkdir(hierarchy)
            script = "\n".join([*group.script(hierarchy), 'exec "$@"'])
            prefix = ["unshare", "--mount", "--propagation", "private", "sh", "-ec", script, "-"]
            nics = f"nics: {{ controlGroup: {hierarchy}/{group.name}, memory: 96MiB, files: 512 }}\n"
            with HostService(network, configuration=f'uplink: {{ default: "null" }}\n{nics}', prefix=prefix) as host:
                for name in ("web1", "db1"):
                    host.add(name)
                host.wait_running()
                for name in ("web1", "db1"):
                    pid = host.pid(name)
                    assert group_of(pid).endswith(f"/{group.name}/{name}")
                    assert (limit(pid, "Max data size"), limit(pid, "Max open files")) == (str(96 << 20), "512")
                host.wait_running(besides=[host.kill_nic("web1")])
                after = host.pid("web1")
                assert group_of(after).endswith(f"/{group.name}/web1") and limit(after, "Max data size") == str(96 << 20)
                # A group goes with its NIC. It is there for who looks into the namespace.
                groups = f"/proc/{host.process.pid}/root{hierarchy}/{group.name}"
                assert sorted(entry.name for entry in os.scandir(groups) if entry.is_dir()) == ["db1", "web1"]
                host.remove("web1")
                assert [entry.name for entry in os.scandir(groups) if entry.is_dir()] == ["db1"]
                host.shut_down()
    finally:
        group.close()


def test_a_control_group_that_can_not_be_is_told_of_and_the_nic_is_tried_again():
    with Network() as network:
        configuration = f'uplink: {{ default: "null" }}\nnics: {{ controlGroup: {network.folder}/none }}\n'
        with HostService(network, configuration=configuration) as host:
            with pytest.raises(Refused) as refused:
                host.add("web1")
            assert "nics.controlGroup" in refused.value.sentence and "web1" in refused.value.sentence, refused.value
