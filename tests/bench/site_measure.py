# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a command and says what it cost, and makes tables of that: used by bench_site.py and bench_recorded.py."""

from __future__ import annotations

import contextlib
import os
import re
import statistics
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

CGROUPS = Path("/sys/fs/cgroup")
#: A sample of the memory of all processes costs about as much as a small task.
SAMPLE_SECONDS = 2.0


class Cost(NamedTuple):
    """What one run cost; seconds and MiB."""

    wall: float
    cpu: float
    hosts_cpu: float = 0.0
    largest_process: float = 0.0
    all_processes: float = 0.0


# CPU of the hosts


def cpu_file(container: str) -> Path:
    """Return the file with the CPU time of a container, with either version of control groups."""
    places = (
        CGROUPS / "cpuacct/docker" / container / "cpuacct.usage",
        CGROUPS / "docker" / container / "cpu.stat",
        CGROUPS / "system.slice" / f"docker-{container}.scope" / "cpu.stat",
    )
    for place in places:
        if place.exists():
            return place
    raise SystemExit(f"no control group of container {container} below {CGROUPS}: is the host running?")


def cpu_seconds(text: str) -> float:
    """Return the seconds that a control group's file tells: nanoseconds alone, or a line of microseconds."""
    found = re.search(r"^usage_usec (\d+)$", text, re.MULTILINE)
    return int(found[1]) / 1e6 if found else int(text) / 1e9


def hosts_cpu(files: list) -> float:
    """Return the CPU seconds of all hosts since they were started."""
    return sum(cpu_seconds(file.read_text()) for file in files)


# A run


def descendants(parent: int, parents: dict) -> set:
    """Return a process with all below it, from the parent of every process."""
    found, fresh = {parent}, {parent}
    while fresh:
        fresh = {pid for pid, above in parents.items() if above in fresh} - found
        found |= fresh
    return found


def parents_of_all() -> dict:
    """Return the parent of every process there is."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            # The name, in brackets, may hold anything.
            found[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    return found


def memory_mib(processes: set) -> float:
    """Return the memory of processes; what they share counts once."""
    total = 0
    for pid in processes:
        with contextlib.suppress(OSError):
            found = re.search(r"^Pss: +(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
            total += int(found[1]) if found else 0
    return total / 1024


def watch_memory(pid: int, ended: threading.Event, peak: list) -> None:
    """Keep the most memory that a process and all below it had, until the end."""
    while not ended.wait(SAMPLE_SECONDS):
        peak[0] = max(peak[0], memory_mib(descendants(pid, parents_of_all())))


def run(command: list, environment: dict, log: Path, files: list, folder: Path, memory: bool = False) -> Cost:
    """Run a command to its end, its output in a log, and return its cost; a failure ends the bench."""
    before, started = hosts_cpu(files), time.monotonic()
    with log.open("w") as output:
        process = subprocess.Popen(
            [str(part) for part in command], cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        ended, peak = threading.Event(), [0.0]
        watcher = threading.Thread(target=watch_memory, args=(process.pid, ended, peak))
        if memory:
            watcher.start()
        # Of this process and of all that it waited for, which the sum over all children of the bench would blur.
        _pid, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        ended.set()
    wall = time.monotonic() - started
    if memory:
        watcher.join()
    if process.returncode:
        end = "\n".join(log.read_text(errors="replace").splitlines()[-40:])
        raise SystemExit(f"{' '.join(map(str, command))} failed with status {process.returncode}, see {log}:\n{end}")
    return Cost(
        wall, usage.ru_utime + usage.ru_stime, hosts_cpu(files) - before, usage.ru_maxrss / 1024, round(peak[0], 1)
    )


# What a run said


def changes(output: str) -> dict:
    """Return the number of changes by host, from the recap of ansible-playbook."""
    recap = output.rpartition("PLAY RECAP")[2]
    return {host: int(count) for host, count in re.findall(r"^(\S+) +: ok=\d+ +changed=(\d+) ", recap, re.MULTILINE)}


def executions(output: str) -> Counter:
    """Return the number of SSH executions by address, from the output of ansible-playbook -vvv."""
    return Counter(re.findall(r"^<([0-9.]+)> SSH: EXEC", output, re.MULTILINE))


def spread(counts: Counter, hosts: int) -> str:
    """Return the fewest and the most executions of a host; one that was never asked counts as well."""
    values = sorted([*counts.values(), *[0] * (hosts - len(counts))])
    return f"{values[0]}-{values[-1]}" if values[0] != values[-1] else str(values[0])


# Tables


def medians(costs: list) -> Cost:
    """Return the median of each part of costs."""
    return Cost(*(statistics.median(values) for values in zip(*costs)))


def idle_taken_off(cost: Cost, idle: float) -> Cost:
    """Return a cost whose hosts are charged only with what they use above `idle` CPU seconds per second."""
    return cost._replace(hosts_cpu=max(0.0, cost.hosts_cpu - idle * cost.wall))


def ratio(value: float, base: float) -> str:
    """Return a ratio with two digits."""
    return f"{value / base:.2f}" if base else "-"


def table(head: list, rows: list) -> str:
    """Return rows below a head, the first column to the left and the others to the right."""
    lines = [head, *([cell if isinstance(cell, str) else f"{cell:.1f}" for cell in row] for row in rows)]
    widths = [max(len(line[number]) for line in lines) for number in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if number else cell.ljust(width) for number, (cell, width) in enumerate(zip(line, widths))
        ).rstrip()
        for line in lines
    )


def comparison(costs: dict, base: str, counts: dict) -> str:
    """Return the table of ways: medians, ratios to one of them, executions."""
    head = ["", "wall s", f"of {base}", "control CPU s", f"of {base}", "hosts' CPU s", "executions per host"]
    middle = {way: medians(found) for way, found in costs.items()}
    rows = [
        [
            way,
            cost.wall,
            ratio(cost.wall, middle[base].wall),
            cost.cpu,
            ratio(cost.cpu, middle[base].cpu),
            cost.hosts_cpu,
            counts.get(way, "-"),
        ]
        for way, cost in middle.items()
    ]
    return table(head, rows)


def growth(small: dict, large: dict, more: int) -> str:
    """Return the table of what so many more hosts cost each way: wall and CPU, whole and per added host."""
    head = ["", "wall s", "then", "more", "of floor's", "control CPU s", "then", "per added host"]
    rows = []
    floor = medians(large["floor"]).wall - medians(small["floor"]).wall
    for way in large:
        before, after = medians(small[way]), medians(large[way])
        rows.append(
            [
                way,
                before.wall,
                after.wall,
                after.wall - before.wall,
                ratio(after.wall - before.wall, floor),
                before.cpu,
                after.cpu,
                f"{(after.cpu - before.cpu) / more:.2f}",
            ]
        )
    return table(head, rows)
