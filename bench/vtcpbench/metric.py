# SPDX-License-Identifier: Apache-2.0
"""A number that is measured."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Metric:
    name: str
    title: str
    form: str = "{:.2f}"
    scale: float = 1.0

    def show(self, value):
        return "-" if value is None else self.form.format(value * self.scale)


GIGABITS = Metric("gigabits_per_second", "Gbit/s")
CPU_PER_GIGABYTE = Metric("cpu_seconds_per_gigabyte", "CPU s/GB")
FRONT_END_CPU = Metric("front_end_cpu_seconds_per_gigabyte", "front-end", "{:.2f}")
WAKEUPS = Metric("wakeups_per_second", "wakeups/s", "{:.0f}")
CPU_PERCENT = Metric("cpu_percent", "CPU %", "{:.0f}")
P50 = Metric("p50_us", "p50 us", "{:.1f}")
P99 = Metric("p99_us", "p99 us", "{:.0f}")
PACKETS = Metric("packets_per_second", "Mpackets/s", "{:.3f}", 1e-6)
CPU_PER_PACKET = Metric("cpu_nanoseconds_per_packet", "CPU ns", "{:.0f}")
START_UP = Metric("start_up_ms", "start ms", "{:.1f}")
IDLE_WAKEUPS = Metric("idle_wakeups_per_second", "wakeups/s", "{:.1f}")
IDLE_CPU = Metric("idle_cpu_percent", "CPU %", "{:.1f}")
RSS_ANONYMOUS = Metric("rss_anonymous_mib", "anon MiB", "{:.1f}")
RSS_FILE = Metric("rss_file_mib", "file MiB", "{:.1f}")
RSS_SHARED = Metric("rss_shared_mib", "shared MiB", "{:.1f}")
HUGE_PAGES = Metric("huge_pages_mib", "huge MiB", "{:.0f}")
CPU_ALL = Metric("cpu_seconds_per_gigabyte_with_guest", "with QEMU")
GUEST_PACKETS = Metric("guest_packets_per_mebibyte", "packets/MiB")
FINISH = Metric("finish_ms", "arrived ms", "{:.1f}")
ACKNOWLEDGED = Metric("acknowledged_ms", "acknowledged ms", "{:.1f}")
SHARE = Metric("share", "of other's")
CHANGED = Metric("changed", "with/without", "{:.3f}")
FLUCTUATION = Metric("fluctuation", "fluctuation", "{:.3f}")
MEGABITS = Metric("megabits_per_second", "Mbit/s", "{:.1f}")
DISTURBED = Metric("disturbed_percent", "left out %", "{:.0f}")
