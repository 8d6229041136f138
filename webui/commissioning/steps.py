"""The steps of commissioning: their order, what was kept of each, and where each stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from station.store.models import Command
from webui.commissioning.models import Commissioning

OPEN, WORKING, DONE, SKIPPED, FAILED = "open", "working", "done", "skipped", "failed"

PLACE, ELECTRICAL, BOARD, NETWORK, CSMS, CARDS, CHARGE, SIGN = (
    *("place", "electrical", "board", "network", "csms", "cards", "charge", "sign"),
)
TITLES: Mapping[str, Any] = {
    PLACE: gettext_lazy("Language and place"),
    ELECTRICAL: gettext_lazy("Electrical data"),
    BOARD: gettext_lazy("Board"),
    NETWORK: gettext_lazy("Local network"),
    CSMS: gettext_lazy("Operator's system"),
    CARDS: gettext_lazy("Cards"),
    CHARGE: gettext_lazy("Test charge"),
    SIGN: gettext_lazy("Sign-off"),
}
NAMES = tuple(TITLES)
OPTIONAL = frozenset({NETWORK, CSMS, CARDS, CHARGE})  # may be left out, with a reason that stands in the protocol
WORDS: Mapping[str, Any] = {
    OPEN: gettext_lazy("open"),
    WORKING: gettext_lazy("the station is asked"),
    DONE: gettext_lazy("done"),
    SKIPPED: gettext_lazy("left out"),
    FAILED: gettext_lazy("failed"),
}
TONES: Mapping[str, str] = {OPEN: "off", WORKING: "wait", DONE: "good", SKIPPED: "pause", FAILED: "bad"}


class Conflict(Exception):
    """Somebody else has saved this step meanwhile. ``who`` and ``at`` say who and when."""

    def __init__(self, who: str, at: datetime | None) -> None:
        super().__init__(who)
        self.who, self.at = who, at


class Over(Exception):
    """It was signed, or begun anew, meanwhile."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step as a page shows it. ``said`` is why it failed, or why it was left out."""

    name: str
    number: int
    title: str
    status: str
    word: str
    tone: str
    said: str
    by: str
    at: datetime | None
    revision: int
    values: Mapping[str, Any]
    optional: bool


def running() -> Commissioning | None:
    """The one that is under way."""
    return Commissioning.objects.filter(is_open=True).first()


def begin(who: str) -> Commissioning:
    """The one that is under way, or a new one."""
    with transaction.atomic():
        return running() or Commissioning.objects.create(begun_at=timezone.now(), begun_by=who)


def restart(who: str) -> Commissioning:
    """Leave the one that is under way, and begin anew; what was set at the station stays set."""
    with transaction.atomic():
        Commissioning.objects.filter(is_open=True).update(is_open=False)
        return Commissioning.objects.create(begun_at=timezone.now(), begun_by=who)


def keep(
    commissioning: Commissioning,
    name: str,
    who: str,
    revision: int | None,
    values: Mapping[str, Any],
    *,
    commands: list[int] | None = None,
    outcome: str = "",
    skipped: str = "",
) -> Commissioning:
    """Keep what was said or found in a step. ``revision`` is the one that the person saw; None: whatever it is.

    Raises Conflict, and Over.
    """
    with transaction.atomic():
        now = Commissioning.objects.filter(pk=commissioning.pk).first()
        if now is None or not now.is_open:
            raise Over
        kept = entry(now, name)
        if revision is not None and revision != int(kept.get("revision", 0)):
            raise Conflict(str(kept.get("by", "")), moment(kept.get("at")))
        now.steps[name] = {
            "revision": int(kept.get("revision", 0)) + 1,
            "by": who,
            "at": timezone.now().isoformat(),
            "values": dict(values),
            "commands": commands or [],
            "outcome": outcome,
            "skipped": skipped,
        }
        now.save(update_fields=["steps"])
        return now


def entry(commissioning: Commissioning, name: str) -> dict[str, Any]:
    """What is kept of a step; empty where nothing is."""
    found = commissioning.steps.get(name)
    return found if isinstance(found, dict) else {}


def moment(text: Any) -> datetime | None:
    """The local time that was kept, or None."""
    at = parse_datetime(text) if isinstance(text, str) else None
    return timezone.localtime(at) if at is not None and timezone.is_aware(at) else None


def settle(commissioning: Commissioning) -> Commissioning:
    """Take over what has become of the commands that steps wait for; their rows are not kept for ever."""
    changed = False
    for name in NAMES:
        kept = entry(commissioning, name)
        if kept.get("commands") and not kept.get("outcome"):
            outcome, said = _outcome(kept["commands"])
            if outcome:
                kept["outcome"], kept["said"] = outcome, said
                changed = True
    if changed:
        with transaction.atomic():
            now = Commissioning.objects.get(pk=commissioning.pk)
            for name in NAMES:
                kept, known = entry(commissioning, name), entry(now, name)
                if kept and known and kept.get("revision") == known.get("revision"):
                    now.steps[name] = {**known, "outcome": kept.get("outcome"), "said": kept.get("said", "")}
            now.save(update_fields=["steps"])
            return now
    return commissioning


def _outcome(ids: list[int]) -> tuple[str, str]:
    rows = list(Command.objects.filter(pk__in=ids))
    refused = [row.message for row in rows if row.status == Command.Status.REJECTED]
    if refused or len(rows) < len(ids):
        return FAILED, " ".join(refused)[:500]
    return (DONE, "") if all(row.status == Command.Status.ACCEPTED for row in rows) else ("", "")


def all_of(commissioning: Commissioning) -> list[Step]:
    """Every step, in its order."""
    return [step(commissioning, name) for name in NAMES]


def step(commissioning: Commissioning, name: str) -> Step:
    """Where one step stands."""
    kept = entry(commissioning, name)
    status = _status(kept)
    said = str(kept.get("skipped") or kept.get("said") or "")
    if status == FAILED and not said:
        said = _("The station did not take it up.")
    return Step(
        name,
        NAMES.index(name) + 1,
        str(TITLES[name]),
        status,
        str(WORDS[status]),
        TONES[status],
        said,
        str(kept.get("by", "")),
        moment(kept.get("at")),
        int(kept.get("revision", 0)),
        kept.get("values") or {},
        name in OPTIONAL,
    )


def _status(kept: Mapping[str, Any]) -> str:
    if not kept:
        return OPEN
    if kept.get("skipped"):
        return SKIPPED
    if kept.get("outcome") in (DONE, FAILED):
        return str(kept["outcome"])
    return WORKING if kept.get("commands") else OPEN


def missing(commissioning: Commissioning) -> list[Step]:
    """The steps before the signature that are neither done nor left out."""
    return [one for one in all_of(commissioning) if one.name != SIGN and one.status not in (DONE, SKIPPED)]


def next_of(commissioning: Commissioning) -> str:
    """The first step that is not over."""
    return next((one.name for one in all_of(commissioning) if one.status not in (DONE, SKIPPED)), SIGN)
