# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of the documentation's site that are made here. `make docs` makes all of it."""

from __future__ import annotations

from pathlib import Path

import docs_site
import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("source")
    (folder / "docs").mkdir()
    docs_site.put_together(ROOT, folder)
    return folder


def test_every_finding_has_a_page(source):
    rows = [line for line in (ROOT / "docs/findings.md").read_text().splitlines() if line.startswith("| `")]
    pages = sorted(path.stem for path in (source / "findings").glob("*.md"))
    assert pages == sorted(row.split("`")[1] for row in rows)
    text = (source / "findings/NATS001.md").read_text()
    assert text.startswith("# NATS001: nats_max_payload is below 2 MiB\n")
    assert "Severity: **error**" in text and "Group: NATS" in text and "The farmer checks this" in text
    assert "[`NATS001`](../findings/NATS001.md)" in (source / "docs/findings.md").read_text()


def test_every_playbook_has_a_page_with_what_its_comment_says_and_what_it_does(source):
    names = {path.stem for path in (ROOT / "playbooks").glob("*.yml")}
    assert {path.stem for path in (source / "playbooks").glob("*.md")} == names
    text = (source / "playbooks/benchmark_cache.md").read_text()
    assert "ansible-playbook -i INVENTORY autonomys.cluster.benchmark_cache\n" in text
    assert "\n```text\nansible-playbook -i INVENTORY autonomys.cluster.benchmark_cache [-e" in text
    assert "Measures the sharded caches once" in text and "1. Look before acting\n" in text


def test_every_role_has_its_page_with_a_way_to_its_variables(source):
    for role in (ROOT / "roles").iterdir():
        assert f"../../reference/{role.name}_role.rst" in (source / "roles" / role.name / "README.md").read_text()


def test_every_page_is_in_the_table_of_contents(source):
    index = (source / "index.md").read_text() + (source / "docs/findings.md").read_text()
    for path in source.rglob("*.md"):
        name = str(path.relative_to(source).with_suffix(""))
        assert name == "index" or f"\n{name}\n" in index or f"\n../{name}\n" in index


def linked(text, page="docs/a.md"):
    return docs_site.with_links(ROOT, page, text, {"docs/numa.md", "README.md"}).rstrip("\n")


def test_links_to_what_is_no_page_lead_to_the_repository():
    assert linked("[x](../inventories/template)") == f"[x]({docs_site.REPOSITORY}/blob/main/inventories/template)"
    assert linked("[x](../README.md#see)") == "[x](../index.md#see)"
    for kept in ("[x](numa.md#slots)", "[x](https://a.example/b)", "[x](#below)", "![x](numa-planned.svg)"):
        assert linked(kept) == kept


def test_a_link_to_nowhere_is_told():
    with pytest.raises(docs_site.Wrong, match=r"docs/a.md: nothing.md leads nowhere"):
        linked("[x](nothing.md)")
    assert linked("```\n[x](nothing.md)\n```") == "```\n[x](nothing.md)\n```"


def test_links_of_the_site_that_lead_nowhere_are_found(tmp_path):
    (tmp_path / "a.html").write_text('<p id="here"><a href="b.html#there">b</a> <a href="#here">a</a>')
    (tmp_path / "b.html").write_text('<p id="there"><a href="https://a.example">a</a>')
    assert docs_site.broken_links(tmp_path) == []
    (tmp_path / "c.html").write_text('<a href="b.html#no">b</a><img src="no.png"><a href="d/no.html">no</a>')
    assert docs_site.broken_links(tmp_path) == ["c.html: b.html#no", "c.html: d/no.html", "c.html: no.png"]
