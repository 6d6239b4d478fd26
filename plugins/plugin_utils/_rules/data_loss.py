# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Rules about what a change would lose: the inventory against what stands on the hosts."""

from __future__ import annotations

import re

from ansible_collections.autonomys.cluster.plugins.module_utils._components import nats, node, plot_client

from .deployed import farms_of, option, standing
from .view import ERROR, WARNING, Rule, finding, names

RULES = {
    "NODE008": Rule(ERROR, "host", "The pruning of an existing database would change"),
    "NODE009": Rule(ERROR, "host", "The chain of an existing database would change"),
    "NATS014": Rule(ERROR, "host", "A NATS server would be renamed"),
    "NATS015": Rule(ERROR, "host", "JetStream's data would be left behind"),
    "FARM008": Rule(ERROR, "host", "Plots are of another chain"),
    "FARM009": Rule(ERROR, "host", "A deployed farm is no longer listed"),
    "FARM010": Rule(ERROR, "host", "A farm's identity exists twice"),
}

# Genesis hash → the chain that farms with it were plotted for.
CHAINS = {
    "66455a580aabff303720aa83adbe6c44502922251c03ba73686d5245da9e21bd": "mainnet",
    "295aeafca762a304d92ee1505548695091f6082d3f0aa4d092ac3cd6397a6c5e": "taurus",
    "91912b429ce7bf2975440a0920b46a892fddeeaed6ccc11c93f2d57ad1bd69ab": "chronos",
}


def check(view):
    for host, facts in view.read("host", "node"):
        yield from _database(view, host, facts.get("disks") or {})
    for host, facts in view.read("host", "nats"):
        yield from _nats(view, host, facts)
    for host in view.members("plot_client"):
        yield from _dropped(view, host)
    farms = list(_farms(view))
    yield from _chains(view, farms)
    yield from _copies(farms)


def _database(view, host, disks):
    """Pruning and chain are fixed when a node's database is first created."""
    program, path = standing(view, host, node.COMPONENT.file), view.value(host, "node_base_path")
    command = (program or {}).get("command") or []
    if path is None or option(command, "--base-path") != path or (disks.get(path) or {}).get("empty") is not False:
        return
    extra = view.value(host, "node_extra_args") or []
    for kind in ("blocks", "state"):
        name = f"node_{kind}_pruning"
        wanted, there = (option(words, f"--{kind}-pruning") or "" for words in (extra, command))
        wanted = wanted or view.value(host, name)
        if wanted is not None and wanted != there:
            message = "%s is %s, but the database in %s was made with %s" % (
                name,
                wanted or "empty",
                path,
                there or "the node's own default",
            )
            yield finding(
                "NODE008",
                [host],
                "node",
                message,
                "Set it back, or move the database away: the node then syncs from the beginning.",
            )
    chain, there = view.value(host, "cluster_chain"), option(command, "--chain")
    if chain and there and chain != there:
        message = f"cluster_chain is {chain}, but the database in {path} is of {there}"
        yield finding("NODE009", [host], "node", message, "Set it back, or give the node another node_base_path.")


def _nats(view, host, facts):
    program = standing(view, host, nats.COMPONENT.file)
    file = (facts.get("files") or {}).get(nats.CONFIG)
    if not program or nats.CONFIG not in (program.get("command") or []) or not file or not file.get("content"):
        return
    store, name = view.value(host, "nats_store_dir"), view.value(host, "nats_server_name")
    there = _setting(file["content"], "server_name")
    filled = ((facts.get("disks") or {}).get(store) or {}).get("empty") is False
    if name and there and str(name) != there and filled:
        message = f"nats_server_name is {name}, but JetStream knows this server and its data in {store} as {there}"
        remedy = f"Set nats_server_name: {there}. A renamed server stays behind as a ghost peer until nats server raft peer-remove."
        yield finding("NATS014", [host], "nats", message, remedy)
    there = _setting(file["content"], "store_dir")
    if store and there and store.rstrip("/") != there.rstrip("/"):
        message = f"nats_store_dir is {store}, but the server keeps its data in {there}"
        yield finding(
            "NATS015",
            [host],
            "nats",
            message,
            "Set it back; or stop the server, move the folder there yourself, and accept this finding once.",
        )


def _setting(text, name):
    """The value of a setting in a file of nats-server, None where it has none."""
    match = re.search(r"""^\s*"?%s"?\s*[:=]?\s*(?:"([^"\n]*)"|'([^'\n]*)'|([^\s#,]+))""" % name, text, re.MULTILINE)
    return next((value for value in match.groups() if value is not None), None) if match else None


def _dropped(view, host):
    program, farms = standing(view, host, plot_client.COMPONENT.file), view.value(host, "plot_client_farms")
    if not program or not isinstance(farms, list):
        return
    listed = {str(farm.get("path")).rstrip("/") or "/" for farm in farms if isinstance(farm, dict)}
    for path, sectors in sorted(farms_of(program).items()):
        if path not in listed:
            message = f"plot_client_farms lacks {path}, which is deployed with {sectors} sectors"
            yield finding(
                "FARM009",
                [host],
                "plot_client",
                message,
                "Add it again, or list it with state: absent if it shall no longer be farmed.",
            )


def _farms(view):
    """The pairs (host, path, what its files say) of the farms that are there and passed on."""
    for host, disks in view.read("disks", "plot_client"):
        for farm in view.value(host, "plot_client_farms") or []:
            path = farm.get("path") if isinstance(farm, dict) else None
            files = (disks.get(path) or {}).get("farm") if isinstance(path, str) else None
            if files and farm.get("state", "present") == "present":
                yield host, path, files


def _chains(view, farms):
    """Farms that were plotted for another chain than the cluster's; the farmer refuses them, and plotting them again loses the plots."""
    remedy = (
        "Set cluster_chain back, or give the new chain other paths. To plot these anew, delete their files yourself."
    )
    before = sorted(
        {
            option(program["command"], "--chain") or ""
            for host in view.members("node")
            for program in _node_programs(view, host)
        }
        - {""}
    )
    unknown = {}
    for host, path, files in farms:
        genesis, chain = files.get("genesis_hash"), view.value(host, "cluster_chain")
        if not genesis or not chain:
            continue
        genesis = genesis.lower().replace("0x", "", 1)
        if genesis in CHAINS:
            if CHAINS[genesis] != chain:
                yield finding(
                    "FARM008",
                    [host],
                    "plot_client",
                    f"cluster_chain is {chain}, but {path} was plotted for {CHAINS[genesis]}",
                    remedy,
                )
        elif before and chain not in before:
            message = f"cluster_chain is {chain}, but {path} was plotted while the nodes were on {names(before)}"
            yield finding("FARM008", [host], "plot_client", message, remedy)
        else:
            unknown.setdefault(genesis, []).append((host, path))
    if len(unknown) > 1:
        parts = [
            f"{genesis[:8]}… ({names(['%s on %s' % (path, host) for host, path in places])})"
            for genesis, places in sorted(unknown.items())
        ]
        hosts = {host for places in unknown.values() for host, _path in places}
        yield finding(
            "FARM008",
            hosts,
            "plot_client",
            f"Farms were plotted for different chains: {'; '.join(parts)}",
            remedy,
            WARNING,
        )


def _node_programs(view, host):
    return [
        program for program in standing(view, host) if program["name"] == node.COMPONENT.file and program.get("command")
    ]


def _copies(farms):
    """The same farm in two places: a disk that was copied, or one disk under two paths."""
    reported = set()
    for key, what in (("identity", "identity.bin"), ("id", "single_disk_farm.json")):
        places = {}
        for host, path, files in farms:
            if files.get(key):
                places.setdefault(files[key], []).append((host, path))
        for _value, same in sorted(places.items()):
            if len(same) > 1 and tuple(same) not in reported:
                reported.add(tuple(same))
                message = f"{what} is the same at {names(['%s on %s' % (path, host) for host, path in same])}"
                remedy = "Keep one of them: two farms with one identity farm the same sectors. Delete the copy, or list it with state: absent."
                yield finding("FARM010", {host for host, _path in same}, "plot_client", message, remedy)
