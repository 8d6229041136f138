"""The conformance report, in the form of the certificate's abstract: what was noted on the rigs, against the list."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from station.device_model import document as device_model
from station.uplink.tls import CIPHER_SUITES
from tests.conformance import catalogue
from tests.conformance.catalogue import MANDATORY, NOT_YET, Case, Feature
from tests.conformance.not_applicable import NOT_APPLICABLE

PROJECT = Path(__file__).parents[2]
RIGS = ("memory", "appliance")
SECURED = (2, 3)  # the security profiles that the cases run in besides 1
# The profiles that the station is to pass so far; of others a case may pass.
MEANT = ("Core", "Advanced Security", "Reservation")
Recorded: TypeAlias = Mapping[str, Mapping[str, Any]]  # rig -> what Recorder.result told
Entry: TypeAlias = dict[str, Any]

PASSED = "passed"
NOT_RUN = "not run"
BLOCKS = {
    "A": "Security",
    "B": "Provisioning",
    "C": "Authorization",
    "E": "Transactions",
    "F": "Remote control",
    "G": "Availability",
    "J": "Meter values",
    "K": "Smart charging",
    "L": "Firmware management",
    "M": "Certificates",
    "N": "Diagnostics",
    "P": "Data transfer",
}
SECTIONS = {
    "hardware": re.compile(r"HFS-"),
    "authorization": re.compile(r"C-3\d$"),
    "measurands": re.compile(r"C-40\."),
    "ciphers": re.compile(r"C-41$"),
    "settings": re.compile(r"ORS-"),
    "questions": re.compile(r"AQ-"),
    "": re.compile(r"P(ST)?-|C-40$"),  # what is no answer of its own
    "options": re.compile(""),
}
STARTS = {  # the authorization options, and how a transaction of that kind is noted
    "C-30": "local ISO14443",
    "C-31": "local ISO15693",
    "C-32": "local KeyCode",
    "C-33": "local Local",
    "C-34": "local MacAddress",
    "C-35": "local NoAuthorization",
    "C-36": "remote ISO14443",
    "C-37": "remote ISO15693",
    "C-38": "remote Central",
    "C-39": "remote NoAuthorization",
}
_REQUIREMENT = re.compile(r"\b([A-P]\d\d\.FR\.\d+)\b")
_SUITE = re.compile(r"(\w+)-(\w+)-AES(\d+)-GCM-SHA(\d+)")


def report(recorded: Recorded, project: Path = PROJECT, others: Mapping[int, Recorded] | None = None) -> Entry:
    """The whole report, as it is written to ``report.json``; the same for the same records and sources.

    ``recorded`` is of security profile 1, ``others`` of the other profiles by their number.
    """
    written = catalogue.written()
    listed = [(case, _entry(case, written, recorded)) for case in catalogue.cases()]
    entries = [entry for _, entry in listed]
    core = [entry for entry in entries if entry["profile"] == "Core"]
    return {
        "rigs": {rig: recorded[rig]["ended"] if rig in recorded else None for rig in RIGS},
        "secured": [
            _secured(number, rig, told[rig])
            for number, told in sorted((others or {}).items())
            for rig in RIGS
            if rig in told
        ],
        "profiles": [
            {
                "name": name,
                **_counted([entry for entry in entries if entry["profile"] == name], recorded, name in MEANT),
            }
            for name in catalogue.PROFILES
        ],
        "blocks": [
            {"block": block, "name": name, **_counted([entry for entry in core if entry["id"][3] == block], recorded)}
            for block, name in BLOCKS.items()
        ],
        **_sections(listed, recorded),
        "cases": entries,
        "requirements": requirements(project),
    }


def _secured(number: int, rig: str, told: Mapping[str, Any]) -> Entry:
    """What a run by another security profile came to."""
    outcomes = told["cases"]
    bad = sorted(ident for ident, outcome in outcomes.items() if outcome != PASSED)
    return {
        "security_profile": number,
        "rig": rig,
        "ended": told["ended"],
        "ran": len(outcomes),
        "passed": len(outcomes) - len(bad),
        "not_passed": bad,
    }


# ------------------------------------------------------------------ cases


def _entry(case: Case, written: Mapping[str, object], recorded: Recorded) -> Entry:
    if case.id in written:
        state, why = "written", ""
    elif case.id in NOT_APPLICABLE:
        state, why = "not applicable", NOT_APPLICABLE[case.id]
    elif catalogue.applies(case.condition):
        state, why = "not yet written", ""
    elif catalogue.applies(case.condition, awaited=True):
        state, why = "waits for a feature", _blamed(case, NOT_YET)
    else:
        state, why = "not applicable", _blamed(case, "no", NOT_YET)
    outcomes = {rig: recorded[rig]["cases"].get(case.id, NOT_RUN) if rig in recorded else NOT_RUN for rig in RIGS}
    return {
        "id": case.id,
        "profile": case.profile,
        "name": case.name,
        "condition": "" if case.kind == MANDATORY else case.condition,
        "state": state,
        "why": why,
        "outcomes": outcomes if state == "written" else {},
    }


def _blamed(case: Case, *answers: str) -> str:
    known = catalogue.features()
    named = sorted(catalogue.ids_in(case.condition))
    return ", ".join(f"{ident}: {known[ident].ours}" for ident in named if known[ident].ours in answers)


def _counted(entries: Sequence[Entry], recorded: Recorded, meant: bool = True) -> Entry:
    """How many cases there are, apply, and passed (None on a rig that was not run), and what that comes to."""
    written = [entry for entry in entries if entry["state"] == "written"]
    missing = sum(entry["state"] == "not yet written" for entry in entries)
    outcomes = {rig: [entry["outcomes"][rig] for entry in written] for rig in RIGS}
    passed = {rig: told.count(PASSED) for rig, told in outcomes.items()}
    if not written or not meant:
        result = "Not yet"
    elif any("failed" in told for told in outcomes.values()):
        result = "Fail"
    elif missing or any(count < len(written) for count in passed.values()):
        result = "In part"
    else:
        result = "Pass"
    return {
        "result": result,
        "listed": len(entries),
        "applicable": len(written) + missing,
        "missing": missing,
        "waiting": sum(entry["state"] == "waits for a feature" for entry in entries),
        "passed": {rig: passed[rig] if rig in recorded else None for rig in RIGS},
    }


# ------------------------------------------------------------------ features


def _sections(listed: Iterable[tuple[Case, Entry]], recorded: Recorded) -> dict[str, list[Entry]]:
    provers: dict[str, list[str]] = {}
    for case, entry in listed:
        if entry["state"] == "written":
            for ident in catalogue.ids_in(case.condition):
                if catalogue.needs(case.condition, ident) and case.id not in provers.setdefault(ident, []):
                    provers[ident].append(case.id)
    for ident, how in STARTS.items():
        provers[ident] = sorted({case for told in recorded.values() for case in _passed(told, how)})
    sections: dict[str, list[Entry]] = {name: [] for name in SECTIONS if name}
    for feature in catalogue.features().values():
        section = next(name for name, pattern in SECTIONS.items() if pattern.match(feature.id))
        if section:
            sections[section].append(
                {
                    "id": feature.id,
                    "feature": feature.feature,
                    "variable": feature.variable,
                    "certificate": feature.certificate,
                    "ours": value(feature),
                    "supported": feature.supported,
                    "present": feature.present,
                    "cases": sorted(provers.get(feature.id, [])),
                }
            )
    return sections


def _passed(told: Mapping[str, Any], how: str) -> list[str]:
    """The cases that passed on a rig and had a transaction begin in that way."""
    return [case for case in told.get("started", {}).get(how, ()) if told["cases"].get(case) == PASSED]


def value(feature: Feature) -> str:
    """What is told of the feature: the answer, or the value that the device model or TLS is shipped with."""
    if feature.ours == "shipped" and not feature.variable:
        return ", ".join(suites())
    if feature.ours in ("shipped", "limits"):
        row = variables()[feature.variable]
        return (row.default if feature.ours == "shipped" else row.allowed).replace(",", ", ")
    return feature.ours


def variables() -> dict[str, device_model.Row]:
    """The device model's variables by ``Component.Variable[Instance]``."""
    # Of a component that stands for the station and for each EVSE, the station's; it comes first.
    found: dict[str, device_model.Row] = {}
    for row in device_model.rows():
        found.setdefault(f"{row.component.partition(' ')[0]}.{row.name}", row)
    return found


def suites() -> list[str]:
    """The cipher suites that TLS 1.2 may choose from, by their names of RFC 5289."""
    return [_SUITE.sub(r"TLS_\1_\2_WITH_AES_\3_GCM_SHA\4", suite) for suite in CIPHER_SUITES.split(":")]


# ------------------------------------------------------------------ requirements


def requirements(project: Path = PROJECT) -> list[Entry]:
    """The requirements of part 2 that code or tests name, each with the files that do."""
    found: dict[str, dict[str, set[str]]] = {}
    for kind, folders in (("code", ("station", "hardware", "webui")), ("tests", ("tests",))):
        for folder in folders:
            for path in (project / folder).rglob("*.py"):
                for ident in _REQUIREMENT.findall(path.read_text(encoding="utf-8")):
                    named = found.setdefault(ident, {"code": set(), "tests": set()})
                    named[kind].add(path.relative_to(project).as_posix())
    return [
        {"id": ident, "code": sorted(found[ident]["code"]), "tests": sorted(found[ident]["tests"])}
        for ident in sorted(found, key=lambda ident: (ident[:3], int(ident.rpartition(".")[2])))
    ]
