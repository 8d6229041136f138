"""Which sessions to list: the filter form, and paging that stays quick however many there are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from station.store.models import Transaction
from webui import words

PER_PAGE = 25
RUNNING = "running"


class SessionFilter(forms.Form):
    """Every field may be left empty; what is not empty has to make sense."""

    since = forms.DateField(required=False, label=_("From"), widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    until = forms.DateField(required=False, label=_("To"), widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    evse = forms.IntegerField(required=False, min_value=1, max_value=999, label=_("EVSE"))
    card = forms.CharField(
        required=False, max_length=36, label=_("Card"), help_text=_("its last characters are enough")
    )
    ended = forms.ChoiceField(required=False, label=_("How it ended"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, label_suffix="", use_required_attribute=False)
        self.fields["ended"].choices = [("", _("any way")), (RUNNING, _("still running")), *words.reasons()]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        since, until = data.get("since"), data.get("until")
        if since and until and since > until:
            self.add_error("until", _("The last day lies before the first."))
        return data

    def apply(self, sessions: QuerySet[Transaction]) -> QuerySet[Transaction]:
        """The sessions that fit; days are those of the station's time zone."""
        data = self.cleaned_data
        if data["since"]:
            sessions = sessions.filter(started_at__gte=_midnight(data["since"]))
        if data["until"]:
            sessions = sessions.filter(started_at__lt=_midnight(data["until"], after=1))
        if data["evse"]:
            sessions = sessions.filter(evse_id=data["evse"])
        if data["card"].strip():
            sessions = sessions.filter(id_token__iendswith=data["card"].strip())
        if data["ended"] == RUNNING:
            return sessions.filter(active=True)
        if data["ended"]:
            return sessions.filter(active=False, stopped_reason=data["ended"])
        return sessions


def _midnight(day: Any, after: int = 0) -> datetime:
    try:
        return timezone.make_aware(datetime.combine(day + timedelta(days=after), time.min))
    except OverflowError:  # the last day of the calendar has no next one
        return datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Page:
    """Some sessions, newest first; ``newer`` and ``older`` are the cursors of the pages beside it."""

    sessions: list[Transaction]
    newer: str
    older: str


class BadCursor(ValueError):
    """A cursor that is none of ours."""


def _cursor(session: Transaction) -> str:
    return f"{session.started_at.astimezone(UTC):%Y%m%dT%H%M%S.%f}_{session.transaction_id}"


def _position(cursor: str) -> tuple[datetime, str]:
    at, separator, transaction_id = cursor.partition("_")
    try:
        moment = datetime.strptime(at, "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC)
    except ValueError as failure:
        raise BadCursor(cursor[:80]) from failure
    if not separator or not 0 < len(transaction_id) <= 36 or "\x00" in transaction_id:
        raise BadCursor(cursor[:80])
    return moment, transaction_id


def page(sessions: QuerySet[Transaction], *, before: str = "", after: str = "") -> Page:
    """The page that begins below ``before`` or ends above ``after``; raises BadCursor.

    By position rather than by number: page one thousand costs what the first one costs, and a session that starts
    meanwhile shifts nothing.
    """
    if after:
        at, last = _position(after)
        above = sessions.filter(Q(started_at__gt=at) | Q(started_at=at, transaction_id__gt=last))
        found = list(above.order_by("started_at", "transaction_id")[: PER_PAGE + 1])
        more_newer, more_older = len(found) > PER_PAGE, True
        found = found[:PER_PAGE][::-1]
    else:
        if before:
            at, last = _position(before)
            sessions = sessions.filter(Q(started_at__lt=at) | Q(started_at=at, transaction_id__lt=last))
        found = list(sessions.order_by("-started_at", "-transaction_id")[: PER_PAGE + 1])
        more_newer, more_older = bool(before), len(found) > PER_PAGE
        found = found[:PER_PAGE]
    return Page(
        found,
        newer=_cursor(found[0]) if found and more_newer else "",
        older=_cursor(found[-1]) if found and more_older else "",
    )
