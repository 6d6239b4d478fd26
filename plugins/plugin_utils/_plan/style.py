# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""How the report looks: light and dark, on screens of every width and on paper."""

from __future__ import annotations

from . import cluster_picture, disks_picture, svg

_PAGE = """
:root{color-scheme:light dark;--back:#ffffff;--panel:#f6f7f9;--ink:#1f2430;--soft:#5a6272;--rule:#dfe3ea;
--link:#1f55a5}
*{box-sizing:border-box}html{scroll-behavior:smooth}
body{margin:0;background:var(--back);color:var(--ink);
font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
a{color:var(--link)}h1,h2,h3{line-height:1.25;margin:0;overflow-wrap:anywhere}h1{font-size:26px}
h2{font-size:20px;margin-bottom:6px}h3{font-size:16px}
header.top{border-bottom:1px solid var(--rule);padding:26px 0 20px}header.top p{margin:6px 0 0}
.wrap{max-width:1320px;margin:0 auto;padding:0 32px}
.columns{display:grid;grid-template-columns:200px minmax(0,1fr);gap:40px}
nav{font-size:14px;padding:26px 0}nav>div{position:sticky;top:20px;max-height:calc(100vh - 40px);overflow-y:auto}
nav ul{list-style:none;margin:0;padding:0}nav li{margin:0}
nav a{display:block;padding:3px 0;text-decoration:none;color:var(--ink);overflow-wrap:anywhere}
nav a:hover{text-decoration:underline}nav ul ul a{padding-left:14px;color:var(--soft);font-size:13px}
main{min-width:0;padding:4px 0 60px}section{padding:26px 0 8px}section+section{border-top:1px solid var(--rule)}
.soft{color:var(--soft)}.lead{font-size:16px;margin:8px 0 0;max-width:75ch}p{margin:6px 0;max-width:90ch}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(86px,1fr));gap:10px;margin:18px 0 6px;padding:0;
list-style:none}
.tiles li{background:var(--panel);border:1px solid var(--rule);border-radius:8px;padding:8px 12px}
.tiles b{display:block;font-size:20px;line-height:1.4;white-space:nowrap}
.tiles span{font-size:13px;color:var(--soft)}.tiles li.wide{grid-column:span 3}.keep{white-space:nowrap}
figure{margin:14px 0}.scroll{overflow-x:auto}.scroll:focus-visible{outline:2px solid var(--link)}
figure svg{display:block;width:100%;min-width:860px;max-width:1060px;height:auto}
figcaption{font-size:13px;color:var(--soft);margin-top:6px}
table{border-collapse:collapse;width:100%;font-size:14px;margin:10px 0}
th{text-align:left;font-weight:600;color:var(--soft);font-size:13px}
th,td{padding:6px 14px 6px 0;border-bottom:1px solid var(--rule);vertical-align:top;overflow-wrap:break-word}
td code{overflow-wrap:anywhere}
code,pre{font:12.5px/1.5 ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace}
pre{background:var(--panel);border:1px solid var(--rule);border-radius:6px;padding:10px 12px;margin:8px 0;
white-space:pre-wrap;overflow-wrap:anywhere}
.tag{display:inline-block;border-radius:10px;padding:0 9px;font-size:12.5px;line-height:20px;white-space:nowrap;
border:1px solid transparent}
.t-start{background:#d9f2e3;color:#135734}.t-restart,.t-warning{background:#ffe9c2;color:#6d4200}
.t-stop,.t-error{background:#ffdcd9;color:#951b14}
.t-reload,.t-info{background:#dcebff;color:#1b4789}.t-none{background:#eceef3;color:#454d5e}
.t-unknown,.t-accepted{border-color:#8d95a5;color:var(--soft)}
article{border:1px solid var(--rule);border-radius:8px;padding:14px 18px;margin:14px 0}
article>p:first-of-type{margin-top:4px}
.finding{display:grid;grid-template-columns:150px minmax(0,1fr);gap:4px 18px}.finding p{margin:0 0 4px}
.finding .tag{margin:0 6px 4px 0}
.chip{display:inline-block;min-width:24px;text-align:center;border-radius:4px;padding:0 5px;color:#14171d;
font-weight:600;font-size:13px;line-height:20px}
details{margin:8px 0}summary{cursor:pointer;padding:3px 0}
summary:focus-visible,a:focus-visible{outline:2px solid var(--link);outline-offset:2px}
details.group{border:1px solid var(--rule);border-radius:8px;padding:10px 18px;margin:14px 0}
details.group>summary{font-weight:600;font-size:16px;overflow-wrap:anywhere}
details.group>summary span{font-weight:400;font-size:14px;margin-left:6px}.tiles+p{margin-top:16px}
figure::after{content:"";font-size:13px;color:var(--soft)}
.why{margin:2px 0 0;max-width:95ch}.skip{position:absolute;left:-9999px}
.skip:focus{left:10px;top:10px;background:var(--back);padding:6px 10px;z-index:1}
footer{border-top:1px solid var(--rule);padding:18px 0;color:var(--soft);font-size:13px}
@media (max-width:1000px){.columns{display:block}.wrap{padding:0 16px}header.top{padding:18px 0}
nav{padding:14px 0 0}nav>div{position:static;max-height:none}
nav ul{display:flex;flex-wrap:wrap;gap:0 16px}nav ul ul{display:none}
.scroll{margin:0 -16px;padding:0 16px}}
@media (max-width:929px){figure::after{content:"The picture is wider than the window: scroll it sideways."}}
@media (max-width:640px){body{font-size:14px}h1{font-size:22px}article,details.group{padding:10px 12px}
.finding{display:block}
.scroll{margin:0 -12px;padding:0 12px}
table.stack thead{display:none}table.stack tr{display:block;border-bottom:1px solid var(--rule);padding:8px 0}
table.stack td{display:block;border:0;padding:1px 0;text-align:left}
table.stack td[data-label]::before{content:attr(data-label) " ";color:var(--soft);font-size:12.5px}
table.stack td:empty{display:none}.tiles{grid-template-columns:1fr 1fr 1fr}}
"""
_PAGE_DARK = """
:root{--back:#14171d;--panel:#1d212a;--ink:#e4e8f0;--soft:#a2abbb;--rule:#313846;--link:#8ab4ff}
.t-start{background:#153a27;color:#8fe0b3}.t-restart,.t-warning{background:#43300c;color:#ffcf85}
.t-stop,.t-error{background:#4a1b19;color:#ffb3ad}
.t-reload,.t-info{background:#16294a;color:#b3d1ff}.t-none{background:#262c38;color:#c3cad6}
.t-unknown,.t-accepted{border-color:#79829a}
"""
_PRINT = """
@page{margin:14mm}body{font-size:11pt}.columns{display:block}.wrap{padding:0}nav{display:none}
header.top{padding:0 0 10px}section{padding:14px 0 4px}
figure svg{min-width:0}figure::after{content:none}.scroll{overflow:visible;margin:0;padding:0}
article,figure,tr,.finding{break-inside:avoid}
h2,h3{break-after:avoid}
details::details-content{content-visibility:visible;block-size:auto}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
"""


def style() -> str:
    """Return the style sheet of the report and its pictures."""
    light = _PAGE + svg.STYLE + cluster_picture.STYLE + disks_picture.STYLE
    dark = _PAGE_DARK + svg.DARK + cluster_picture.DARK + disks_picture.DARK
    return f"{light}@media screen and (prefers-color-scheme:dark){{{dark}}}@media print{{{_PRINT}}}"
