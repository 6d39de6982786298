"""The machine under the figures: what it is, what its disk does, and how much of it others used meanwhile."""

import contextlib
import os
import pathlib
import platform
import re
import statistics
import subprocess
import tempfile
import time

from room import descendants

PACKAGES = ("rabbitmq-server", "erlang-base", "librabbitmq4", "libsqlite3-0", "libuv1", "libboost1.81-dev", "libcurl4", "libgmime-3.0-0", "libgumbo1", "dovecot-core", "g++")
TICKS = os.sysconf("SC_CLK_TCK")


def versions():
    """Debian's packages by name."""
    listed = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *PACKAGES], capture_output=True, text=True, check=False)
    return dict(line.split(" ", 1) for line in listed.stdout.splitlines() if " " in line)


def description(folder):
    model = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = int(re.search(r"^MemTotal:\s*(\d+)", pathlib.Path("/proc/meminfo").read_text(), re.MULTILINE)[1]) / 1024 / 1024
    kind = subprocess.run(["stat", "-f", "-c", "%T", folder], capture_output=True, text=True, check=False).stdout.strip()
    return {"processor": model[1] if model else platform.processor(), "cores": len(os.sched_getaffinity(0)), "memory_gib": round(memory, 1), "kernel": platform.release(),
            "file_system": kind, "load_before": os.getloadavg()[0]}


def syncs_per_second(folder, count=60):
    """How many small writes a second the disk keeps, one after the other; the median of them."""
    times = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(count):
            began = time.monotonic()
            os.pwrite(file.fileno(), b"x" * 4096, 0)
            os.fdatasync(file.fileno())
            times.append(time.monotonic() - began)
    return 1 / statistics.median(times)


def machine_ticks():
    """(busy, all) of all cores; what the hypervisor gave to others is busy."""
    user, nice, system, idle, iowait, irq, softirq, steal, *_ = (int(word) for word in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:])
    busy = user + nice + system + irq + softirq + steal
    return busy, busy + idle + iowait


def own_ticks():
    """Of this process and everybody who descends from it, the dead too once they were waited for."""
    total = 0
    for pid in [os.getpid(), *descendants(os.getpid())]:
        with contextlib.suppress(OSError):
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += sum(int(field) for field in fields[11:15])
    return total


class Others:
    """The share of the machine that others used, while it is entered."""

    share = 0.0

    def __enter__(self):
        self.machine, self.own = machine_ticks(), own_ticks()
        return self

    def __exit__(self, *unused):
        busy, total = (after - before for after, before in zip(machine_ticks(), self.machine))
        self.share = max(0.0, busy - (own_ticks() - self.own)) / max(1, total)
