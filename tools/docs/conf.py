# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Sphinx makes the documentation's site of what docs_site.py has put together."""

from __future__ import annotations

project = "autonomys.cluster"
html_title = project
author = copyright = "autonomys.cluster contributors"
extensions = ["myst_parser", "sphinx_antsibull_ext"]
html_theme = "furo"
html_copy_source = False
html_show_sphinx = False
html_static_path = ["static"]
html_css_files = ["site.css"]
# So that the links between pages are links to places in them, too.
myst_heading_anchors = 4
