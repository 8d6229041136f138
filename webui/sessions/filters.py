"""Which sessions: the filter form as the address has it, and the selection that it stands for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from django import forms
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from station.store.models import Transaction
from webui import words
from webui.cards.models import Card as NamedCard
from webui.owner import here
from webui.sessions.models import Card

RUNNING = "running"
MOST_NAMED = 200  # cards whose name fits what was typed


@dataclass(frozen=True, slots=True)
class Selection:
    """What is wanted; days are those of the station's time zone, both included. Empty is any.

    ``card`` is the end of a card's number, or a part of its name. ``ended`` is a ReasonEnumType or ``RUNNING``.
    """

    since: date | None = None
    until: date | None = None
    evse: int | None = None
    card: str = ""
    ended: str = ""

    @property
    def is_everything(self) -> bool:
        return self == Selection()

    def within(self, zone: tzinfo) -> Q:
        """The days."""
        wanted = Q()
        if self.since:
            wanted &= Q(started_at__gte=midnight(self.since, zone))
        if self.until:
            wanted &= Q(started_at__lt=midnight(self.until, zone, after=1))
        return wanted

    def cards(self) -> Q:
        """Whose: the end of the number, or the name. A key code has to be given whole: nobody is to find it out."""
        text = self.card.strip()
        if not text:
            return Q()
        named = NamedCard.objects.filter(name__icontains=text).values_list("id_token", flat=True)[:MOST_NAMED]
        wanted = Q(id_token__iexact=text) | (Q(id_token__iendswith=text) & ~Q(id_token_type="KeyCode"))  # noqa: S106
        tokens = list(named)
        return wanted | Q(id_token__in=tokens) if tokens else wanted

    def known_cards(self) -> list[Card]:
        """The cards among those added up that fit."""
        return list(Card.objects.filter(self.cards()))

    def apply(self, sessions: QuerySet[Transaction]) -> QuerySet[Transaction]:
        """The sessions that fit, by whatever index the database finds best; for few sessions."""
        return self.among(sessions.filter(self.within(here.zone())))

    def among(self, sessions: QuerySet[Transaction]) -> QuerySet[Transaction]:
        """Those of ``sessions`` that fit, whatever their day; how ``sessions`` are found is not to change."""
        sessions = sessions.filter(self.cards())
        if self.evse:
            sessions = beside_index(sessions, "evse_id", [self.evse])
        if self.ended == RUNNING:
            return sessions.filter(active=True)
        return beside_index(sessions.filter(active=False), "stopped_reason", [self.ended]) if self.ended else sessions

    def holds(self, day: date) -> bool:
        """Whether that day is among the days."""
        return (self.since is None or self.since <= day) and (self.until is None or day <= self.until)


def beside_index(rows: QuerySet[Transaction], name: str, values: list[Any]) -> QuerySet[Transaction]:
    """Those that have one of ``values`` there, without an index for it: another leads.

    SQLite knows nothing of how often a value occurs, and would take the wrong one.
    """
    column = F(name) + 0 if name == "evse_id" else Coalesce(F(name), Value(""))
    return rows.alias(**{f"beside_{name}": column}).filter(**{f"beside_{name}__in": values})


def midnight(day: date, zone: tzinfo, after: int = 0) -> datetime:
    """When the day begins, or the one so many days after it."""
    try:
        return datetime.combine(day + timedelta(days=after), time.min, zone).astimezone(UTC)
    except OverflowError:  # the ends of the calendar
        return datetime.max.replace(tzinfo=UTC) if day.year > 5000 else datetime.min.replace(tzinfo=UTC)


class SessionFilter(forms.Form):
    """Every field may be left empty; what is not empty has to make sense."""

    since = forms.DateField(required=False, label=_("From"), widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    until = forms.DateField(required=False, label=_("To"), widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    evse = forms.IntegerField(required=False, min_value=1, max_value=999, label=_("EVSE"), localize=False)
    card = forms.CharField(
        required=False, max_length=60, label=_("Card"), help_text=_("its name, or the last characters of its number")
    )
    ended = forms.ChoiceField(required=False, label=_("How it ended"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, label_suffix="", use_required_attribute=False)
        self.fields["ended"].choices = [("", _("any way")), (RUNNING, _("still running")), *words.reasons()]
        for name in ("since", "until"):  # an address is the same in every language
            self.fields[name].input_formats = ["%Y-%m-%d"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        since, until = data.get("since"), data.get("until")
        if since and until and since > until:
            self.add_error("until", _("The last day lies before the first."))
        return data

    def selection(self) -> Selection:
        """What the form, which must be valid, asks for."""
        data = self.cleaned_data
        return Selection(data["since"], data["until"], data["evse"], data["card"].strip(), data["ended"])
