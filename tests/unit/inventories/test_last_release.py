# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An unchanged inventory gives the files that the last release gave, or a fragment of the changelog says what restarts.

A cluster restarts what has another definition, so a release that renders another one restarts every cluster. The files
of the last release are in tests/fixtures/rendered; ``make release`` writes them anew.
"""

from __future__ import annotations

import difflib
import re
from pathlib import Path

import pytest
import yaml
from rendered import INVENTORIES, TITLE, rendered

ROOT = Path(__file__).parents[3]
KEPT = ROOT / "tests/fixtures/rendered"
CHANGELOG = ROOT / "changelogs"


def by_file(text):
    """The files of a text of ``rendered``, by host, component and path."""
    parts = [part.partition("\n") for part in text.split(TITLE + " ")[1:]]
    return {tuple(title.split()): content for title, _end, content in parts}


def differences(last, now):
    """What differs by component, as a text to read."""
    found: dict[str, str] = {}
    for title in sorted({*last, *now}):
        lines = [files.get(title, "").splitlines() for files in (last, now)]
        if lines[0] != lines[1]:
            names = [f"{when}: {' '.join(title)}" for when in ("last release", "now")]
            text = "\n".join(difflib.unified_diff(*lines, *names, lineterm=""))
            found[title[1]] = found.get(title[1], "") + text + "\n"
    return found


def announced(fragments, released):
    """What ``breaking_changes`` say in fragments that no release has had yet."""
    texts = []
    for path in fragments:
        if path.name not in released:
            texts += yaml.safe_load(path.read_text(encoding="utf-8")).get("breaking_changes", [])
    return " ".join(texts)


def unannounced(found, announcement):
    """The differences of components that no fragment names."""
    return {component: text for component, text in found.items() if not re.search(rf"\b{component}\b", announcement)}


@pytest.fixture(scope="module")
def announcement():
    releases = yaml.safe_load((CHANGELOG / "changelog.yaml").read_text(encoding="utf-8"))["releases"].values()
    released = {name for release in releases for name in release["fragments"]}
    return announced(sorted((CHANGELOG / "fragments").glob("*.yml")), released)


@pytest.mark.parametrize("inventory", INVENTORIES)
def test_an_unchanged_inventory_restarts_nothing_unannounced(inventory, announcement, tmp_path):
    last = by_file((KEPT / f"{inventory}.txt").read_text(encoding="utf-8"))
    now = by_file(rendered(inventory, tmp_path))
    left = unannounced(differences(last, now), announcement)
    assert not left, (
        f"An unchanged inventory gives other files than with the last release, so every cluster restarts "
        f"{', '.join(left)}. Render what was rendered, or say in a fragment of changelogs/fragments under "
        f"breaking_changes what restarts, by the names of these components.\n" + "\n".join(left.values())
    )


LAST = """######## node-1 nats /etc/nats-server.conf
port: 4222

######## node-1 node /etc/supervisor/conf.d/autonomys-node.conf
[program:autonomys-node]

"""


def test_a_difference_is_found_and_told():
    now = LAST.replace("[program:autonomys-node]", "[program:autonomys-node]\nuser=root")
    found = differences(by_file(LAST), by_file(now))
    assert list(found) == ["node"]
    assert "+user=root" in found["node"] and "now: node-1 node /etc/supervisor" in found["node"]


def test_a_file_that_is_new_or_gone_is_a_difference():
    short = LAST[: LAST.index("######## node-1 node")]
    assert list(differences(by_file(LAST), by_file(short))) == ["node"]
    assert list(differences(by_file(short), by_file(LAST))) == ["node"]


def test_only_a_fragment_that_names_the_component_and_is_not_released_lets_it_pass(tmp_path):
    found = {"nats": "-a\n+b"}
    fragment = tmp_path / "ports.yml"
    fragment.write_text("breaking_changes:\n  - nats - all servers restart once, for another port.\n")
    other = tmp_path / "other.yml"
    other.write_text("breaking_changes:\n  - node - restarts once.\nbugfixes:\n  - nats - restarts.\n")
    assert unannounced(found, announced([fragment, other], set())) == {}
    assert unannounced(found, announced([fragment, other], {"ports.yml"})) == found
    assert unannounced(found, announced([other], set())) == found
