"""The conformance report that came with this version of the software, as ``make conformance`` wrote it."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path
from typing import Any

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from webui.accounts.guard import signed_in

REPORT = Path(__file__).parent / "report.json"
RESULTS = {  # as the report says it -> as a person reads it, and the tone
    "Pass": (_("Passed"), "good"),
    "Fail": (_("Failed"), "bad"),
    "In part": (_("In part"), "wait"),
    "Not yet": (_("Not yet"), "off"),
}
ANSWERS = {
    "yes": _("yes"),
    "no": _("no"),
    "on": _("on as shipped"),
    "off": _("off as shipped"),
    "not yet": _("not yet"),
}


@never_cache
@require_safe
@signed_in
def conformance(request: HttpRequest) -> HttpResponse:
    """The page."""
    return render(request, "conformance/conformance.html", _page(_read()))


@never_cache
@require_safe
@signed_in
def as_json(request: HttpRequest) -> FileResponse:
    """The same for a program."""
    try:
        return FileResponse(REPORT.open("rb"), content_type="application/json")
    except OSError as error:
        raise Http404 from error


def _read() -> dict[str, Any] | None:
    """The report; None where there is none that can be read. Not kept: it is long and seldom asked for."""
    try:
        report = json.loads(REPORT.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return report if isinstance(report, dict) else None


def _page(report: dict[str, Any] | None) -> dict[str, Any]:
    if report is None:
        return {"report": None}
    answers = [
        (_("Hardware"), report["hardware"]),
        (_("Ways to authorize"), report["authorization"]),
        (_("Optional features"), report["options"]),
        (_("Measurands"), report["measurands"]),
        (_("Cipher suites"), report["ciphers"]),
        (_("Limits and settings"), report["settings"]),
    ]
    return {
        "report": report,
        "ran": [(_("In memory"), report["rigs"]["memory"]), (_("On the running station"), report["rigs"]["appliance"])],
        "profiles": [_counted(one["name"], one) for one in report["profiles"]],
        "blocks": [_counted(f"{one['block']} · {one['name']}", one) for one in report["blocks"]],
        "answers": [(title, [_answered(one) for one in features]) for title, features in answers],
        "requirements": [
            (block, [one["id"] for one in ones])
            for block, ones in groupby(report["requirements"], key=lambda one: one["id"][0])
        ],
        "requirement_count": len(report["requirements"]),
    }


def _counted(name: str, counted: dict[str, Any]) -> dict[str, Any]:
    word, tone = RESULTS.get(counted["result"], (counted["result"], "off"))
    return {**counted, "name": name, "word": word, "tone": tone}


def _answered(feature: dict[str, Any]) -> dict[str, Any]:
    return {**feature, "told": ANSWERS.get(feature["ours"], feature["ours"])}
