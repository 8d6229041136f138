"""Whether a case was played in a configuration in which the list says that it applies.

Many cases need a feature that is off as shipped, some need one to be off that is on. What a test sets at the start and
while it runs is noted by the rig; a condition that no mix of these settings makes true fails the test.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import product

from tests.conformance import catalogue
from tests.conformance.catalogue import SWITCHES, Case, Feature, holds, ids_in
from tests.conformance.report import variables
from tests.conformance.rig import Rig

BY_CONNECTOR = {"HFS-1": True, "AQ-18": True, "HFS-2": False}  # id -> what it is with sockets, as against fixed cables
_PLACE = re.compile(r"@\d+(\.\d+)?(?=\.)")


def check(rig: Rig, *ids: str) -> None:
    """Raise AssertionError for a case of ``ids`` that does not apply to the station as it was set."""
    settings: dict[str, set[str]] = {}
    for name, value in rig.settings:
        settings.setdefault(_PLACE.sub("", name), set()).add(value)
    cases = {case.id: case for case in catalogue.cases()}
    for ident in ids:
        assert applies(cases[ident], settings, socket=rig.socket), (
            f"{ident} applies where {cases[ident].condition}; the test sets {settings or 'nothing'}"
        )


def applies(case: Case, settings: Mapping[str, set[str]], *, socket: bool = False) -> bool:
    """Whether the case applies to a station with these settings, each of which held at some time."""
    known = catalogue.features()
    named = sorted(ids_in(case.condition))
    numbers = {ident: int(known[ident].ours) for ident in named if known[ident].ours.isdigit()}
    choices = product(*(truths(known[ident], settings, socket=socket) for ident in named))
    return any(holds(case.condition, dict(zip(named, choice, strict=True)), numbers) for choice in choices)


def truths(feature: Feature, settings: Mapping[str, set[str]], *, socket: bool = False) -> set[bool]:
    """What the feature was in the course of the test."""
    if feature.id in BY_CONNECTOR:
        return {BY_CONNECTOR[feature.id] is socket}
    if feature.ours not in SWITCHES:
        return {feature.supported}
    name, _, wanted = feature.variable.partition("=")
    if not name:
        return {feature.present}
    values = settings.get(name) or {variables()[name].default}
    return {wanted in value.split(",") if wanted else value not in ("", "0", "false") for value in values}
