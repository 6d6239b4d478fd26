# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Public text is plain English: words and turns of phrase that an operator must read twice do not come in."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

THING = (
    r"(?:host|server|line|version|file|GPU|slot|node|farm|program|component|role|disk|core|segment|problem|NUMA node)"
)

# What must not be written, an example of it, and what to write.
PHRASES = [
    (
        r"(?i)\b(?:stands?|stood|standing)\b(?!-ins?\b)(?! in for\b)(?! for\b)",
        "A program stands in another file",
        "is, is defined, is in, says",
    ),
    (r"(?i)\bmend(?:s|ed|ing)?\b", "Mend them and run again", "fix, repair"),
    (r"\b(?:can|cannot|can never|none can) be missed\b", "No NATS server can be missed", "can be spared"),
    (rf"\b(?:an?|one) \w+ an? {THING}\b", "a folder a version", "per: a folder per version"),
    (rf"\ban? {THING} an? \w+\b", "a file a component", "per: a file per component"),
    (rf"\bone an? {THING}\b", "plot servers, one a GPU", "one per GPU"),
    (rf"\b[0-9]+ (?:MiB|GB|cores|s) an? {THING}\b", "256 MiB a segment", "per: 256 MiB per segment"),
    (
        r"\b(?:a|an) (?:sentence|item|argument) (?:each|an? \w+)\b",
        "Why not, a sentence each",
        "one sentence per reason",
    ),
    (
        r", as (?:`[^`]+`|[CVO]\([^)]*\)|[A-Z]+[0-9]{3}|[0-9]+[A-Z]B)(?=[.,;:)|\"']|$| or | and )",
        "Ids, as `NATS002`.",
        "such as",
    ),
    (r"\bfor to\b", "for to restart it", "to restart it"),
    (
        r"(?:^|[.:;|>] |\"|')Who (?:is|has|wants|does|reaches|runs)\b",
        "Who is not root cannot look",
        "someone who, if you",
    ),
    (r"\b[Ff]or who\b", "For who has the tutorial open", "for you if you have"),
    (r"\bshall\b", "a folder that shall be used", "must, will, is to"),
    (r"\ban own\b", "takes it for an own one", "one of its own"),
    (r"\b[Ll]ooks? whether\b", "Look whether it runs", "check whether, check that"),
    (
        r"(?<!there )\b(?:is|are|was|were) no (?:IP|UUID|mountpoint|number|address|rule|map|list|host of|size|matrix"
        r"|JMESPath)\b",
        "which is no UUID",
        "is not a",
    ),
    (r"\bcannot be told\b", "V(null) when it cannot be told", "is not known"),
    (r"\b(?:sorted|select|selects) of (?:the|them)\b", "selects of them", "selects from them"),
    (
        r"(?:^|[.|] )Of (?!course\b)(?:the|a|any|all|plot|nodes?|hosts?|programs?|what|files?|variables)\b",
        "Of plot servers: as above.",
        "For plot servers, About",
    ),
    (r"\b(?:could|can|cannot)(?: not)? be had\b", "the answer could not be had", "be read, be available"),
    (r"(?i)\b(?:as|like) (?:the|a|an) [\w' -]+ has (?:it|them)\b", "As the tutorial has it.", "as in"),
    (r"\bspeaks? against\b", "what speaks against it", "what prevents it"),
    (r"\bnot status 0\b", "ends with not status 0", "ends with an error"),
    (r"\bfor ever\b", "start again for ever", "forever"),
    (r"\b(?:is|are) wanted of\b", "what is wanted of it", "is expected of"),
]

# Programs and pages of others, and what tells of the words themselves.
OTHERS = ("tests/fixtures/", "LICENSE", "CHANGELOG.rst", "changelogs/changelog.yaml")


def tracked(*patterns):
    """The files of the repository that match one of the patterns, as paths from its root."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return sorted({name for name in names if not name.startswith(OTHERS) and (ROOT / name).is_file()})


PAGES = tracked("*.md", "changelogs/fragments/*.yml")
YAML = tracked(
    "roles/*.yml", "roles/*.j2", "playbooks/*.yml", "inventories/*.yml", "meta/*.yml", "galaxy.yml", "site.yml"
)
PYTHON = tracked("plugins/*.py")


def strings(source):
    """What a Python file may show to people: its texts with spaces, without docstrings."""
    tree = ast.parse(source)
    scopes = (ast.Module, ast.ClassDef, ast.FunctionDef)
    bodies = [
        node.body[0].value for node in ast.walk(tree) if isinstance(node, scopes) and isinstance(node.body[0], ast.Expr)
    ]
    docstrings = {id(value) for value in bodies}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            if " " in node.value:
                yield node.lineno, node.value


def texts(name):
    """Pairs of a line's number and public text in a file."""
    source = (ROOT / name).read_text(encoding="utf-8")
    if name.endswith(".py"):
        for number, text in strings(source):
            yield from enumerate(text.splitlines(), number)
    else:
        yield from enumerate(source.splitlines(), 1)


def found(text):
    """What a text has that it must not, with what to write."""
    for pattern, _example, better in PHRASES:
        match = re.search(pattern, text)
        if match:
            yield f"{match.group().strip()!r}: {better}"


@pytest.mark.parametrize("name", PAGES + YAML + PYTHON)
def test_public_text_is_plain_english(name):
    assert [f"{name}:{number}: {fault}" for number, text in texts(name) for fault in found(text)] == []


@pytest.mark.parametrize("pattern, example, better", PHRASES, ids=[case[1] for case in PHRASES])
def test_each_phrase_is_found(pattern, example, better):
    assert [fault for fault in found(f"It is so. {example}") if fault.endswith(better)]


@pytest.mark.parametrize(
    "text",
    [
        "a stand-in for the farmer, which stands in for the real one",
        "operators understand what that means",
        "Slots missed by the cluster: 0 of 239.",
        "It restarts host by host, as `site.yml` does, and a host at a time.",
        "No host of the cluster has it; there is no number.",
        "I recommend the amendment.",
    ],
)
def test_what_is_plain_passes(text):
    assert list(found(text)) == []


def test_the_texts_of_a_file_are_all_looked_at():
    source = '"""Stands here."""\nTEXT = f"it {1} stands there"\n'
    source += 'def f():\n    """Stands."""\n    raise ValueError("stands not")\n'
    assert [text for _number, text in strings(source)] == ["it ", " stands there", "stands not"]
    assert {"README.md", "docs/findings.md", "roles/nats/README.md", "changelogs/fragments/preflight-rules.yml"} <= set(
        PAGES
    )
    assert {"roles/nats/defaults/main.yml", "roles/nats/meta/argument_specs.yml", "playbooks/site.yml"} <= set(YAML)
    assert {"plugins/modules/release.py", "plugins/plugin_utils/_rules/nats.py"} <= set(PYTHON)
