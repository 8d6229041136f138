"""The audit log as one: what was asked of the station (``Command``), and what only the web does (``Change``)."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from itertools import islice
from typing import Any, NamedTuple

from django import forms
from django.db.models import Model, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from station.store import confidential
from station.store.models import Command
from webui import words
from webui.access import record
from webui.accounts import audit
from webui.accounts.audit_log.words import asked_for
from webui.accounts.forms import Bare
from webui.accounts.models import Change
from webui.accounts.roles import of_word

LOGIN = "login"
CHARGING = ("start", "stop", "unlock", "master_pass")
LOGINS = ("logged_out", "sign_in_ended", "sign_ins_ended", "recovery_code_used", "password_chosen")
BITE = 500  # rows of one query of the export
# What of a command's arguments is nobody's secret; card numbers, passwords and certificates are not among it.
TOLD = (
    *("evse_id", "evse_ids", "connector_id", "slot", "slots", "csms_url", "security_profile", "interface", "identity"),
    *("origin", "locked", "component", "variable", "component_instance", "variable_instance", "value", "use"),
    *("certificate_id", "operative", "type", "days", "current", "limit", "phases", "minutes", "version", "for"),
)


class Entry(NamedTuple):
    """One line of the log. ``tone`` is "bad", "wait" or empty; ``said`` is what the station answered."""

    at: datetime
    who: str
    what: str
    detail: str
    said: str
    tone: str
    address: str
    kind: str
    cursor: str


class AuditFilter(Bare):
    """Every field may be left empty; what is not empty has to make sense."""

    since = forms.DateField(
        required=False, label=gettext_lazy("From"), widget=forms.DateInput({"type": "date"}, "%Y-%m-%d")
    )
    until = forms.DateField(
        required=False, label=gettext_lazy("To"), widget=forms.DateInput({"type": "date"}, "%Y-%m-%d")
    )
    who = forms.ChoiceField(required=False, label=gettext_lazy("Who"))
    what = forms.ChoiceField(
        required=False,
        label=gettext_lazy("What"),
        choices=[
            ("", gettext_lazy("anything")),
            ("logins", gettext_lazy("logins")),
            ("failed", gettext_lazy("failed logins")),
            ("charging", gettext_lazy("charging")),
            ("station", gettext_lazy("settings of the station")),
            ("web", gettext_lazy("accounts and settings of this interface")),
        ],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = {
            name
            for rows in (Command, Change)
            for name in rows.objects.order_by().values_list("who", flat=True).distinct()
        }
        choices = [("", _("anybody")), *((name, name) for name in sorted(names - {""}))]
        self.fields["who"].choices = choices  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        since, until = data.get("since"), data.get("until")
        if since and until and since > until:
            self.add_error("until", _("The last day lies before the first."))
        for name in ("since", "until"):
            if (day := data.get(name)) and not 1970 <= day.year <= 9000:
                self.add_error(name, _("There was nothing to note in that year."))
        return data

    def apply(self) -> tuple[QuerySet[Command], QuerySet[Change]]:
        """The rows of both tables that fit; days are those of the station's time zone."""
        data, commands, changes = self.cleaned_data, Command.objects.all(), Change.objects.all()
        for name, test in (("since", "gte"), ("until", "lt")):
            if data[name]:
                at = timezone.make_aware(datetime.combine(data[name], time.min) + timedelta(days=name == "until"))
                commands, changes = commands.filter(**{f"filed_at__{test}": at}), changes.filter(**{f"at__{test}": at})
        if data["who"]:
            commands, changes = commands.filter(who=data["who"]), changes.filter(who=data["who"])
        match data["what"]:
            case "logins":
                return commands.filter(action=LOGIN), changes.filter(kind__in=LOGINS)
            case "failed":
                return commands.filter(action=LOGIN, arguments__accepted=False), changes.none()
            case "charging":
                return commands.filter(action__in=CHARGING), changes.none()
            case "station":
                return commands.exclude(action__in=(LOGIN, *CHARGING)), changes.none()
            case "web":
                return commands.none(), changes.exclude(kind__in=LOGINS)
        return commands, changes


def entries(chosen: AuditFilter, before: str = "", most: int | None = None) -> Iterator[Entry]:
    """Newest first, below the line with the cursor ``before``. Raises ValueError for what is no cursor.

    Rows are read a bite at a time, so that an export of all of them takes no more memory than a page.
    """
    commands, changes = chosen.apply()
    merged = heapq.merge(
        _walk(commands, "filed_at", "c", before, most),
        _walk(changes, "at", "w", before, most),
        key=lambda pair: pair[0],
        reverse=True,
    )
    return (entry for _key, entry in islice(merged, most))


def _walk(
    rows: QuerySet[Any], moment: str, source: str, before: str, most: int | None
) -> Iterator[tuple[tuple[datetime, str, int], Entry]]:
    key = _parsed(before) if before else None
    bite = min(BITE, most or BITE)
    while True:
        here = rows
        if key is not None:
            at, other, pk = key
            same = Q(pk__lt=pk) if other == source else Q(pk__gt=0) if source < other else Q(pk__lt=0)
            here = rows.filter(Q(**{f"{moment}__lt": at}) | (Q(**{moment: at}) & same))
        found: list[Model] = list(here.order_by(f"-{moment}", "-pk")[:bite])
        for row in found:
            key = (getattr(row, moment), source, row.pk)
            yield key, (_command(row, key) if source == "c" else _change(row, key))  # type: ignore[arg-type]
        if len(found) < bite:
            return


def _parsed(cursor: str) -> tuple[datetime, str, int]:
    micros, source, pk = cursor.split("-")
    if source not in ("c", "w") or len(pk) > 18:
        raise ValueError("no cursor")
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(micros)), source, int(pk)


def _cursor(key: tuple[datetime, str, int]) -> str:
    at, source, pk = key
    return f"{(at - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1)}-{source}-{pk}"


def _command(row: Command, key: tuple[datetime, str, int]) -> Entry:
    asked = row.arguments if isinstance(row.arguments, dict) else {}
    address = str(asked.get("origin", ""))
    if row.action == LOGIN:
        accepted = bool(asked.get("accepted"))
        what = _("logged in") if accepted else _("tried to log in, in vain")
        said = _("has to wait %(seconds)s s") % {"seconds": asked["locked"]} if asked.get("locked") else ""
        return Entry(row.filed_at, row.who, what, "", said, "" if accepted else "bad", address, LOGIN, _cursor(key))
    if row.action == record.ACTION:
        who = row.who or _("The station")
        facts = {name: value for name, value in asked.items() if name not in ("what", "origin")}
        detail = ", ".join(f"{name}={value}" for name, value in facts.items())[:300]
        return Entry(row.filed_at, who, record.words(asked), detail, "", "", address, row.action, _cursor(key))
    what = asked_for(row.action)
    accepted = row.status == Command.Status.ACCEPTED
    if row.status == Command.Status.FILED:
        said, tone = _("not answered yet"), "wait"
    else:
        said, tone = words.outcome(row.action, accepted, row.message), "" if accepted else "bad"
    return Entry(row.filed_at, row.who, what, _told(asked), said, tone, address, row.action, _cursor(key))


def _told(asked: Mapping[str, Any]) -> str:
    shown = {name: asked[name] for name in TOLD if asked.get(name) not in (None, "", [])}
    shown.pop("origin", None)
    if confidential.is_secret(asked):
        shown.pop("value", None)
    return ", ".join(f"{name}={value}" for name, value in shown.items())[:300]


def _change(row: Change, key: tuple[datetime, str, int]) -> Entry:
    data = row.data if isinstance(row.data, dict) else {}
    spoken = {**{name: _spoken(value) for name, value in data.items()}, "subject": row.subject}
    try:
        what = str(audit.KINDS[row.kind]) % spoken
    except (KeyError, TypeError, ValueError):  # of another version
        what = f"{row.kind.replace('_', ' ')} {row.subject}".strip()
    return Entry(row.at, row.who, what, "", "", "", row.address, row.kind, _cursor(key))


def _spoken(value: Any) -> str:
    try:
        return str(of_word(str(value)).label)
    except KeyError:
        return str(value)
