# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What a component is asked to learn whether it is healthy."""

from __future__ import annotations

from .._components.common import Facts, Settings
from .._components.registry import COMPONENTS, expectations
from .._looking import Question


def health_question(component: str, settings: Settings, facts: Facts) -> Question:
    """Return the question by the definition that is wanted: the arguments of ``component_health``."""
    known = COMPONENTS[component]
    question: Question = {"component": component, "name": known.file}
    if known.application:
        application = known.application(settings)
        question["nats"], question["node"] = application.get("nats"), application.get("node")
    else:
        question["programs"] = [dict(expected) for expected in expectations(component, settings, facts)]
    return question
