# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The text format in which Prometheus reads metrics. Pure functions."""

from __future__ import annotations

import math
from typing import Iterable, Mapping, NamedTuple, Tuple, Union

Value = Union[int, float, bool, None]
Sample = Tuple[Mapping[str, str], Value]

#: Characters of a label's value: names of programs, paths and serial numbers are shorter, and what is not is no name.
MAX_LABEL = 200


class Family(NamedTuple):
    """A metric with all its samples; a value of None is not known, and is left out."""

    name: str
    # What it says, with its unit.
    help: str
    samples: Iterable[Sample]
    # Prometheus' type: a gauge, or a counter that only grows.
    kind: str = "gauge"


def exposition(families: Iterable[Family]) -> str:
    """Return the text of metrics; one without a known value is left out."""
    lines: list[str] = []
    for family in families:
        samples = [
            f"{family.name}{_labels(labels)} {_number(value)}"
            for labels, value in family.samples
            if value is not None and math.isfinite(value)
        ]
        if samples:
            # Two samples with the same labels would cost the whole file.
            samples = list({sample.rpartition(" ")[0]: sample for sample in samples}.values())
            lines += [f"# HELP {family.name} {family.help}", f"# TYPE {family.name} {family.kind}", *samples]
    return "".join(line + "\n" for line in lines)


def _labels(labels: Mapping[str, str]) -> str:
    inner = ",".join(f'{name}="{_escaped(value)}"' for name, value in sorted(labels.items()))
    return f"{{{inner}}}" if inner else ""


def _escaped(value: str) -> str:
    text = str(value)[:MAX_LABEL].encode("utf-8", "replace").decode("utf-8")
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: int | float) -> str:
    number = float(value)
    return str(int(number)) if number.is_integer() and abs(number) < 2**53 else repr(number)
