# SPDX-License-Identifier: Apache-2.0
"""Ours, with a policy."""

from .vtcp_nic import VtcpNIC


class Ruled(VtcpNIC):
    """vtcp-nic, whose policy is `default` with these words."""

    def __init__(self, name, label, words):
        super().__init__(name, label, module="early")
        self._words = words

    def start(self, session):
        path = session.path("policy")
        with open(path, "w") as file:
            file.write(f"default {self._words}\n")
        self.options = [f"--policy={path}"]
        return super().start(session)
