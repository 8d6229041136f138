"""``docs/conformance.md``, from the report."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from tests.conformance.report import MEANT, NOT_RUN, PASSED, RIGS, Entry

HEADER = """\
# Conformance

Written by `make conformance`; do not edit. The certification cases are those of OCPP 2.0.1 Edition 3, part 6, with the
errata of 2025-09. Each is one test in `tests/conformance/` and runs on two rigs: in memory under a virtual clock, and
against the running appliance over a real WebSocket. A case has passed where all its tests have and the whole trace was
valid. This is our own run of our own tests, not a certificate.

A case applies where the station can be set so that the list's condition for it holds. *Certificate* is what OCA's
certificate OCA.0201.0026.CS says of the station that this one is measured by. *Supported* is what is built, *present*
what is switched on as shipped. *Cases that need it* are those that are written and could not apply without the feature;
how each fared stands under Cases. A case whose condition offers alternatives (a card or a key code) needs none of them.
"""


# Where cases, or a case and part 2, ask for different things: what they ask, and what this station does.
CONTRADICTIONS = (
    (
        "TC_E_39, TC_E_05",
        "Nobody plugs in until EVConnectionTimeOut, TxStartPoint is ParkingBayOccupancy, TxStopPoint has Authorized "
        "and not ParkingBayOccupancy: TC_E_39 expects an Updated event with a stoppedReason, TC_E_05 an Ended one.",
        "Ended, as E03.FR.05 has it; a stoppedReason belongs to no other event. Where TxStopPoint has "
        "ParkingBayOccupancy without Authorized, the event is Updated (E03.FR.15).",
    ),
)


def page(report: Entry) -> str:
    """The whole page; the same for the same report."""
    lines = [HEADER, *(_ran(rig, report["rigs"][rig]) for rig in RIGS)]
    lines += [*(_secured(one) for one in report.get("secured", ())), ""]
    lines += ["## Profiles", "", *_counts("Profile", ((one["name"], one) for one in report["profiles"]))]
    lines += ["## Core by functional block", ""]
    lines += _counts("Block", ((f"{one['block']} {one['name']}", one) for one in report["blocks"]))
    lines += ["## Hardware features", "", *_answers(report["hardware"])]
    lines += ["## Optional features", "", *_features(report["options"])]
    lines += [
        "## Authorization options",
        "",
        "The cases are those that passed and whose transactions began that way.",
        "",
    ]
    lines += _features(report["authorization"], "Cases that began so")
    lines += ["## Measurands", "", *_answers(report["measurands"])]
    lines += ["## Cipher suites", "", *_answers(report["ciphers"])]
    lines += ["Of TLS 1.3, which is used where the CSMS can, the suites are TLS's own.", ""]
    lines += ["## Limits and settings", "", *_answers(report["settings"])]
    lines += ["## Questions of the laboratory", "", *_answers(report["questions"])]
    lines += ["## Cases", "", "Cases of other profiles are listed once they are written.", "", *_cases(report["cases"])]
    lines += ["## Where the list contradicts itself", "", *_table(("Cases", "What they ask", "Here"), CONTRADICTIONS)]
    lines += ["## Requirements of part 2 that code and tests name", "", *_requirements(report["requirements"])]
    return "\n".join(lines).rstrip() + "\n"


def _ran(rig: str, ended: str | None) -> str:
    return f"* {rig.capitalize()} rig: " + (f"run that ended {ended}" if ended else "not run in this report")


def _secured(one: Entry) -> str:
    bad = f"; not passed: {', '.join(one['not_passed'])}" if one["not_passed"] else ""
    return (
        f"* {one['rig'].capitalize()} rig in security profile {one['security_profile']}: {one['passed']} of "
        f"{one['ran']} cases passed, run that ended {one['ended']}{bad}"
    )


def _counts(title: str, rows: Iterable[tuple[str, Entry]]) -> list[str]:
    columns = (
        "Result",
        "Listed",
        "Applicable",
        "Passed, memory",
        "Passed, appliance",
        "Not yet written",
        "Wait for a feature",
    )
    table = [
        (
            name,
            one["result"],
            one["listed"],
            one["applicable"],
            *(NOT_RUN if count is None else count for count in one["passed"].values()),
            one["missing"],
            one["waiting"],
        )
        for name, one in rows
    ]
    return _table((title, *columns), table)


def _answers(features: Iterable[Entry]) -> list[str]:
    rows = [(one["id"], one["feature"], _code(one["variable"]), one["certificate"], one["ours"]) for one in features]
    return _table(("Id", "Feature", "Variable", "Certificate", "This station"), rows)


def _features(features: Iterable[Entry], cases: str = "Cases that need it") -> list[str]:
    rows = [
        (
            one["id"],
            one["feature"],
            _code(one["variable"]),
            one["certificate"],
            words(one),
            ", ".join(one["cases"]),
        )
        for one in features
    ]
    return _table(("Id", "Feature", "Variable", "Certificate", "Supported / present", cases), rows)


def words(feature: Entry) -> str:
    """``supported / present`` of a feature; its value where it is more than yes or no."""
    if not feature["supported"]:
        return "not yet" if feature["ours"] == "not yet" else "no / no"
    if feature["ours"] in ("yes", "on", "off"):
        return f"yes / {'yes' if feature['present'] else 'no'}"
    return str(feature["ours"])


def _cases(cases: Iterable[Entry]) -> list[str]:
    rows = [
        (one["id"], one["profile"], one["name"], one["condition"], *_fared(one))
        for one in cases
        if one["profile"] in MEANT or one["state"] == "written"
    ]
    return _table(("Case", "Profile", "Name", "Condition", "Memory", "Appliance"), rows)


def _fared(case: Entry) -> tuple[str, ...]:
    if case["state"] != "written":
        told = case["state"] + (f" ({case['why']})" if case["why"] else "")
        return (told, "")
    return tuple(case["outcomes"][rig] if case["outcomes"][rig] in (PASSED, NOT_RUN) else "**failed**" for rig in RIGS)


def _requirements(found: list[Entry]) -> list[str]:
    lines: list[str] = [f"{len(found)} requirements.", ""]
    for block, ones in groupby(found, key=lambda one: one["id"][0]):
        lines += [f"### {block}", ""]
        lines += _table(
            ("Requirement", "Code", "Tests"),
            [(one["id"], ", ".join(map(_code, one["code"])), ", ".join(map(_code, one["tests"]))) for one in ones],
        )
    return lines


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _table(columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> list[str]:
    lines = [columns, tuple("---" for _ in columns), *rows]
    return ["| " + " | ".join(str(cell).replace("|", ", ") for cell in line) + " |" for line in lines] + [""]
