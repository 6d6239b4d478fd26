# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""PROG: rules about supervised programs: their options, and those that are defined on the hosts already."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from ansible_collections.autonomys.cluster.plugins.module_utils._components.names import conf_name
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS, component_of
from ansible_collections.autonomys.cluster.plugins.module_utils._secrets import masked_arguments

from .._words import names, one_line, shown
from .definitions import arguments_in_one, refused, secret_arguments
from .deployed import Deployed, component_of_program, deployed_programs
from .view import ERROR, HOST, INFO, INVENTORY, WARNING, Finding, Rule, View, finding

RULES = {
    "PROG001": Rule(WARNING, "inventory", "A program gets little time to stop"),
    "PROG002": Rule(WARNING, "host", "A program does not stay up"),
    "PROG003": Rule(WARNING, "host", "A program is left over"),
    "PROG004": Rule(ERROR, "host", "A program is defined in another file"),
    "PROG005": Rule(WARNING, "host", "Programs may open few files"),
    "PROG006": Rule(INFO, "inventory", "Programs run as root"),
    "PROG007": Rule(ERROR, "inventory", "A program's definition is refused"),
    "PROG008": Rule(WARNING, "inventory", "An option and its value are one argument"),
    "PROG009": Rule(WARNING, "inventory", "A secret is an argument"),
}

DURATION = re.compile(r"^([0-9]+)(s|m)$")

# A plot client holds some files for each farm and sector group, a node thousands.
LEAST_OPEN_FILES = 65536


def check(view: View) -> Iterator[Finding]:
    for component in COMPONENTS:
        for host in view.members(component):
            yield from _stop(view, host, component)
            yield from _values(view, host, component)
    for host in view.hosts:
        if set(view.components(host)) - {"nats"} and view.value(host, "cluster_user") == "root":
            message = "cluster_user is root: whoever breaks into a program that listens on the network owns the host"
            remedy = "Leave cluster_user unset; programs then run as autonomys."
            yield finding("PROG006", [host], INVENTORY, message, remedy)
    for host, facts in view.read("host"):
        for program in deployed_programs(view, host):
            yield from _defined(view, host, program)
        yield from _left_over(view, host)
        if view.components(host):
            yield from _open_files(view, host, facts.get("limits") or {})


def _stop(view: View, host: str, component: str) -> Iterator[Finding]:
    name, shortest = component + "_stopwaitsecs", COMPONENTS[component].shortest_stop
    if shortest is None:
        return
    least = shortest.seconds
    if shortest.after:
        duration = DURATION.match(str(view.value(host, shortest.after)))
        if not duration:
            return
        least += int(duration.group(1)) * (60 if duration.group(2) == "m" else 1)
    seconds = view.value(host, name)
    if isinstance(seconds, int) and seconds < least:
        message = f"{name} is {seconds}: the program is killed after that, and {shortest.why}"
        yield finding("PROG001", [host], component, message, f"Use {least} or more, or leave it out.")


def _values(view: View, host: str, component: str) -> Iterator[Finding]:
    for fault in refused(view, host, component):
        remedy = "Change the value: the configuration of supervisord cannot hold it."
        yield finding("PROG007", [host], component, fault, remedy)
    for name, item in arguments_in_one(view, host, component):
        words = masked_arguments(item.split(None, 1))
        message = f"{name} has {shown(' '.join(words))}, which the program gets as one argument"
        remedy = f"Make two items of it: {json.dumps(words, ensure_ascii=False)}."
        yield finding("PROG008", [host], component, message, remedy)
    for name, options in secret_arguments(view, host, component):
        message = f"{name} gives the value of {names(options)} as an argument, which every user of the host can see"
        remedy = "Give it in a file or in the environment, where the program takes it so, or accept this finding."
        yield finding("PROG009", [host], component, message, remedy)


def _defined(view: View, host: str, program: Deployed) -> Iterator[Finding]:
    name, component = program["name"], component_of_program(program)
    if program.get("state") in ("BACKOFF", "FATAL"):
        message = (
            f"{name} is in the state {program['state']}: {one_line(program.get('reason') or 'no reason is known')}"
        )
        remedy = "Look into its log; site.yml starts it again where it is wanted."
        yield finding("PROG002", [host], component or HOST, message, remedy)
    if component in view.components(host) and not _is_ours(component, program["file"]):
        message = f"{name} is defined in {program['file']}, which this collection does not manage"
        remedy = f"{_way_out(program['file'])}, so that site.yml can define it in "
        remedy += f"{conf_name(COMPONENTS[component].file)}."
        yield finding("PROG004", [host], component, message, remedy)


def _left_over(view: View, host: str) -> Iterator[Finding]:
    left: dict[tuple[str, str], list[str]] = {}
    for program in deployed_programs(view, host):
        component = component_of(program["name"])
        if component and component not in view.components(host):
            left.setdefault((component, program["file"]), []).append(program["name"])
    for (component, file), programs in sorted(left.items()):
        message = f"The host is not in the group {component}, but it has {names(programs)} in {file}"
        if not _is_ours(component, file):
            remedy = f"{_way_out(file)}, or put the host back into the group."
        elif view.value(host, "cluster_remove_orphans"):
            remedy = "Because of cluster_remove_orphans, site.yml stops and removes this. Its data stays."
        else:
            remedy = (
                "Put the host back into the group, or set cluster_remove_orphans: true, so that site.yml stops and "
                "removes this. Its data stays."
            )
        yield finding("PROG003", [host], component, message, remedy)


def _way_out(file: str) -> str:
    """Return how to be rid of a program that is not managed here."""
    name = file.rpartition("/")[2]
    return f"Run systemctl disable --now {name}" if name.endswith(".service") else "Stop it and remove that file"


def _is_ours(component: str, file: str) -> bool:
    return file.rpartition("/")[2] == conf_name(COMPONENTS[component].file)


def orphans(view: View, host: str) -> list[str]:
    """Return the files of programs, without their ending, whose component the host has left."""
    programs = [(component_of(program["name"]), program["file"]) for program in deployed_programs(view, host)]
    left = {
        component
        for component, file in programs
        if component and component not in view.components(host) and _is_ours(component, file)
    }
    return sorted(COMPONENTS[component].file for component in left)


def _open_files(view: View, host: str, limits: Mapping[str, int | None]) -> Iterator[Finding]:
    wanted = view.value(host, "cluster_open_files")
    if wanted is None:
        return
    if wanted < LEAST_OPEN_FILES:
        message = f"cluster_open_files is {wanted}; nodes and farmers open tens of thousands"
        yield finding("PROG005", [host], HOST, message, f"Use {LEAST_OPEN_FILES} or more, or leave it out.")
    kernel, service = limits.get("kernel"), limits.get("service")
    if kernel is not None and kernel < wanted:
        message = f"The kernel lets a process open {kernel} files, cluster_open_files is {wanted}"
        yield finding("PROG005", [host], HOST, message, "Raise fs.nr_open with sysctl, or lower cluster_open_files.")
    elif service is not None and service < wanted:
        message = f"supervisord runs with a limit of {service} open files, cluster_open_files is {wanted}"
        remedy = (
            f"Raise it while it runs: prlimit --nofile={wanted} --pid $(cat /run/supervisord.pid). Programs get it "
            "when they start the next time."
        )
        yield finding("PROG005", [host], HOST, message, remedy)
