# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the documentation's static site: build/docs/index.html.

The pages are those of the repository, one for each finding and each playbook, which are made here, and one for each
module, filter and role, which antsibull-docs makes. A warning of any tool, and a link to nowhere, is an error.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import yaml

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = ROOT / "tools/docs"
REPOSITORY = "https://github.com/autonomys-cluster/autonomys.cluster"
ANSIBLE = "https://docs.ansible.com/ansible/latest"
COLLECTION = "autonomys.cluster"
SECONDS = 1200

LINK = re.compile(r"(!?\[(?:[^\[\]]|\[[^\[\]]*\])*\])\(([^()\s]+)\)")
FINDING = re.compile(r"^\| `([A-Z]+\d{3})` \| (\w+) \| (\w+) \| (.+?) \|(.*)\|$")
#: Labels of Ansible's own documentation, which antsibull-docs refers to.
LABELS = {
    "common_return_values": f"{ANSIBLE}/reference_appendices/common_return_values.html",
    "action_plugins": f"{ANSIBLE}/plugins/action.html",
    "ansible_configuration_settings": f"{ANSIBLE}/reference_appendices/config.html",
}


#: Pages that have another name on the site.
MOVED = {"README.md": "index.md", "CHANGELOG.rst": "changelog.rst"}

#: Of the guide, what most readers want.
FIRST = ("docs/findings", "docs/operations", "docs/questions")


class Wrong(Exception):
    """The site cannot be made; the text says what is wrong, and where."""


def pages(root: Path) -> list[str]:
    """Return the repository's own pages that are part of the site."""
    found = [*root.glob("docs/*.md"), *root.glob("roles/*/README.md"), root / "CONTRIBUTING.md", root / "SECURITY.md"]
    return sorted(str(path.relative_to(root)) for path in found)


def outside_code(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the lines of a page, and whether each is text and not an example."""
    fenced = False
    for line in text.splitlines():
        fence = line.lstrip().startswith("```")
        yield line, not (fenced or fence)
        fenced ^= fence


def with_links(root: Path, page: str, text: str, own: set[str]) -> str:
    """Return a page whose links to what is no page of the site lead to the repository."""

    def replaced(link: re.Match[str]) -> str:
        label, target = link[1], link[2]
        path, hash_sign, place = target.partition("#")
        if not path or "://" in path or path.startswith("mailto:"):
            return link[0]
        there = os.path.normpath(os.path.join(os.path.dirname(page), path))
        if not (root / there).exists():
            raise Wrong(f"{page}: {target} leads nowhere")
        if there in MOVED:
            return f"{label}({os.path.relpath(MOVED[there], os.path.dirname(page))}{hash_sign}{place})"
        if there in own or label.startswith("!"):
            return link[0]
        return f"{label}({REPOSITORY}/blob/main/{there}{hash_sign}{place})"

    lines = [LINK.sub(replaced, line) if is_text else line for line, is_text in outside_code(text)]
    return "\n".join(lines) + "\n"


def toctree(caption: str, entries: list[str]) -> str:
    """Return a part of the site's table of contents."""
    return "\n".join(["", "```{toctree}", ":hidden:", f":caption: {caption}", "", *entries, "```", ""])


def finding_pages(text: str) -> dict[str, str]:
    """Return a page for each finding by its id, made of the rows of docs/findings.md."""
    found, section = {}, ""
    for line in text.splitlines():
        if line.startswith("## "):
            section = line[3:]
        if row := FINDING.match(line):
            rule, severity, about, title, more = row.groups()
            found[rule] = (
                f"# {rule}: {title}\n\n"
                f"* Severity: **{severity}**\n* About: {about}\n* Group: {section}\n\n{more.strip()}\n\n"
                f"Preflight names the hosts, the value that is wrong, and what to do about it. "
                f"`cluster_accept: [{rule}]` accepts the finding where that is possible: "
                f"[all findings](../docs/findings.md), "
                f"[what to do when a run stops](../docs/operations.md#when-a-run-stops).\n"
            )
    return found


def playbook_page(name: str, text: str) -> str:
    """Return the page of a playbook, made of the comment at its beginning and the names of its plays."""
    comment = []
    for line in text.splitlines():
        if line.startswith("#"):
            comment.append(line[2:])
        elif line != "---":
            break
    blocks, before = [], False
    for line in comment:
        code = line.startswith("  ")
        if code != before:
            blocks.append("```" if before else "\n```text")
            before = code
        blocks.append(line.strip() if code else line)
    if before:
        blocks.append("```")
    said = "\n".join(blocks)
    said = re.sub(r"roles/(\w+)/README\.md", r"[the role \1](../roles/\1/README.md)", said)
    said = re.sub(r"docs/(\w+)\.md", r"[\1](../docs/\1.md)", said)
    plays = "\n".join(f"1. {play['name']}" for play in yaml.safe_load(text))
    command = f"```\nansible-playbook -i INVENTORY {COLLECTION}.{name}\n```"
    return f"# Playbook {name}\n\n{command}\n\n{said}\n\n## What it does, in order\n\n{plays}\n"


def write(folder: Path, name: str, text: str) -> None:
    """Write a page of the site's sources."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def put_together(root: Path, source: Path) -> None:
    """Write the sources of all pages but those of antsibull-docs."""
    own = {*pages(root), "README.md"}
    for name in sorted(own):
        text = with_links(root, name, (root / name).read_text(encoding="utf-8"), own)
        if name == "docs/findings.md":
            text = re.sub(r"(?m)^\| `([A-Z]+\d{3})` \|", r"| [`\1`](../findings/\1.md) |", text)
        if name.startswith("roles/"):
            role = name.split("/")[1]
            # Short enough for the list of all pages.
            text = re.sub(r"\A# .*", f"# {role}", text)
            text += f"\n[All variables of the role, and of its entry points](../../reference/{role}_role.rst)\n"
        write(source, MOVED.get(name, name), text)
    for picture in (path for kind in ("svg", "png") for path in root.glob(f"docs/*.{kind}")):
        shutil.copy(picture, source / "docs")
    changelog = (root / "CHANGELOG.rst").read_text(encoding="utf-8")
    write(source, "changelog.rst", changelog.replace(".. contents:: Topics\n", ""))

    findings = finding_pages((root / "docs/findings.md").read_text(encoding="utf-8"))
    for rule, text in findings.items():
        write(source, f"findings/{rule}.md", text)
    playbooks = sorted(path.stem for path in root.glob("playbooks/*.yml"))
    for name in playbooks:
        text = (root / f"playbooks/{name}.yml").read_text(encoding="utf-8")
        write(source, f"playbooks/{name}.md", playbook_page(name, text))
    with (source / "index.md").open("a", encoding="utf-8") as index:
        guide = [name[: -len(".md")] for name in own if name.startswith("docs/")]
        index.write(toctree("Guide", sorted(guide, key=lambda name: (name not in FIRST, name))))
        index.write(toctree("Roles", [name[: -len(".md")] for name in sorted(own) if name.startswith("roles/")]))
        index.write(toctree("Playbooks", [f"playbooks/{name}" for name in playbooks]))
        index.write(toctree("Modules and filters", ["reference/index"]))
        index.write(toctree("Project", ["CONTRIBUTING", "SECURITY", "changelog"]))
    with (source / "docs/findings.md").open("a", encoding="utf-8") as page:
        page.write(toctree("Findings", [f"../findings/{rule}" for rule in findings]))


def run(line: list[str], environment: dict[str, str]) -> None:
    """Run a tool, whose output is shown when it says anything."""
    done = subprocess.run(
        line,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    if done.returncode or "ERROR" in done.stdout or "WARNING" in done.stdout:
        raise Wrong(f"{' '.join(line)}:\n{done.stdout}")


def describe_plugins(folder: Path, environment: dict[str, str]) -> None:
    """Let antsibull-docs write the pages of modules, filters and roles."""
    folder.mkdir(parents=True)
    settings = ["--config-file", str(SETTINGS / "antsibull-docs.cfg")]
    options = ["--use-current", "--squash-hierarchy", "--fail-on-error", "--dest-dir", str(folder)]
    run(["antsibull-docs", *settings, "collection", *options, COLLECTION], environment)
    for path in folder.glob("*.rst"):
        text = path.read_text(encoding="utf-8")
        for label, address in LABELS.items():
            text = re.sub(rf":ref:`([^`<]*?) ?<{label}>`", rf"`\1 <{address}>`__", text)
            text = text.replace(f":ref:`{label}`", f"`{label} <{address}>`__")
        # The theme shows a page's contents beside it.
        text = re.sub(r"(?m)^\.\. contents::.*\n(?:   .*\n)*", "", text)
        path.write_text(text, encoding="utf-8")


class Page(HTMLParser):
    """The links and the places of a page."""

    def __init__(self, text: str) -> None:
        """Read the page."""
        super().__init__()
        self.links: set[str] = set()
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag links to, and what it is called."""
        named = dict(attrs)
        self.links |= {value for key in ("href", "src") if (value := named.get(key))}
        self.places |= {value for key in ("id", "name") if (value := named.get(key))}


def broken_links(site: Path) -> list[str]:
    """Return the links of a site that lead to no page of it, or to no place on one."""
    read = {path: Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
    found = []
    for path, page in sorted(read.items()):
        for link in sorted(page.links):
            target, _hash, place = unquote(link).partition("#")
            if ":" in target.partition("/")[0] or target.startswith("//"):
                continue
            there = Path(os.path.normpath(path.parent / target.partition("?")[0])) if target else path
            if not there.exists() or (place and there in read and place not in read[there].places):
                found.append(f"{path.relative_to(site)}: {link}")
    return found


def main() -> int:
    """Make the site."""
    site, work = ROOT / "build/docs", ROOT / "build/docs-source"
    for folder in (site, work):
        shutil.rmtree(folder, ignore_errors=True)
    # The documentation's own tools first, ansible-doc from beside the tests' tools.
    search = f"{ROOT}/.cache/docs/bin:{os.environ['PATH']}"
    environment = dict(os.environ, PATH=search, ANSIBLE_CONFIG=str(ROOT / "ansible.cfg"))
    try:
        print("docs: antsibull-docs", flush=True)
        describe_plugins(work / "reference", environment)
        print("docs: sphinx", flush=True)
        put_together(ROOT, work)
        sphinx = ["sphinx-build", "--quiet", "--fail-on-warning", "--keep-going", "--builder", "html"]
        run([*sphinx, "--conf-dir", str(SETTINGS), str(work), str(site)], environment)
        if broken := broken_links(site):
            raise Wrong("links that lead nowhere:\n" + "\n".join(broken))
    except Wrong as error:
        print(f"docs: {error}", file=sys.stderr)
        return 1
    print(f"docs: {len(list(site.rglob('*.html')))} pages: {site / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
