"""The page of one session."""

from __future__ import annotations

import base64
import binascii
import html
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from station.store.models import JournalEntry, MeterPoint, Transaction
from webui import words
from webui.accounts.guard import signed_in
from webui.cards.naming import names
from webui.charts.curve import draw, table
from webui.owner import here
from webui.sessions.paging import beside
from webui.tariff import costs

MOST_POINTS = 50_000  # of one session; ten seconds apart they reach almost six days
MOST_EVENTS = 500
LEAD, TAIL = timedelta(minutes=3), timedelta(seconds=30)
_OF_THE_STATION = ("link_up", "link_down", "started", "reset")


@never_cache
@require_safe
@signed_in
def session(request: HttpRequest, transaction_id: str) -> HttpResponse:
    """One session: its power curve, its figures, its events in words."""
    found = _one(transaction_id)
    started = found.started_at.astimezone(here.zone())
    readings = list(
        MeterPoint.objects.filter(transaction=found)
        .order_by("id")
        .values_list("at", "power", "soc", "current_1", "current_2", "current_3")[:MOST_POINTS]
    )
    points = [((reading[0] - found.started_at).total_seconds(), reading[1]) for reading in readings]
    charges = [reading[2] for reading in readings if reading[2] is not None]
    before, after = beside(found)
    context = {
        "session": found,
        "who": names([found.id_token]).get(found.id_token) or words.masked(found.id_token, found.id_token_type),
        "lasted": (found.ended_at or timezone.now()) - found.started_at,
        "zone": here.zone(),
        "curve": draw(points, started_at=started),
        "rows": [(started + timedelta(seconds=at), watt) for at, watt in table(points)],
        "soc": (charges[0], charges[-1]) if charges else None,
        "phases": _phases(found, [reading[3:] for reading in readings]),
        "bill": costs.bill_of(found),
        "signed": len(signed_readings(found)),
        "before": before,
        "after": after,
        "events": [
            (entry.at, words.event(entry.kind, entry.data if isinstance(entry.data, dict) else {}))
            for entry in _events(found)
        ],
        "journal_from": _journal_from(found.started_at),
    }
    piece = request.htmx and request.htmx.target == "session-live"
    return render(request, "sessions/_live.html" if piece else "sessions/session.html", context)


@never_cache
@require_safe
@signed_in
def signed(request: HttpRequest, transaction_id: str) -> HttpResponse:
    """The signed meter values (OCMF), as the transparency software of the S.A.F.E. initiative reads them."""
    found = _one(transaction_id)
    documents = signed_readings(found)
    if not documents:
        raise Http404
    key = str(_extra(found).get("signed_key") or "")
    moments = ["Transaction.Begin", *["Transaction.End"] * (len(documents) - 1)]
    values = "".join(
        f'  <value transactionId="{html.escape(found.pk)}" context="{moment}">\n'
        f'    <signedData format="OCMF" encoding="plain">{html.escape(document)}</signedData>\n'
        f'    <publicKey encoding="base64">{html.escape(key)}</publicKey>\n'
        "  </value>\n"
        for moment, document in zip(moments, documents, strict=True)
    )
    content = f'<?xml version="1.0" encoding="UTF-8"?>\n<values>\n{values}</values>\n'
    response = HttpResponse(content, content_type="application/xml")
    name = f"signed_{found.started_at.astimezone(here.zone()):%Y-%m-%d_%H%M}.xml"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _one(transaction_id: str) -> Transaction:
    if "\x00" in transaction_id:
        raise Http404
    return get_object_or_404(Transaction, pk=transaction_id)


def _extra(session: Transaction) -> dict[str, Any]:
    state = session.state if isinstance(session.state, dict) else {}
    extra = state.get("extra")
    return extra if isinstance(extra, dict) else {}


def signed_readings(session: Transaction) -> list[str]:
    """The OCMF documents of the beginning and the end, where there are any."""
    kept = _extra(session).get("signed")
    found = []
    for document in kept if isinstance(kept, list) else []:
        try:
            found.append(base64.b64decode(document, validate=True).decode())
        except (binascii.Error, ValueError, TypeError):
            continue
    return found


def _phases(session: Transaction, currents: list[tuple[int | None, ...]]) -> list[dict[str, Any]]:
    """A line for each phase: its energy (mWh) by its own register, its highest current (mA); None where not known."""
    kept = _extra(session).get("phase_energy")
    begin, end = kept if isinstance(kept, list) and len(kept) == 2 else ([], [])
    lines = []
    for phase in range(3):
        highest = max((one[phase] for one in currents if one[phase] is not None), default=None)
        energy = None
        if phase < len(begin) and phase < len(end):
            energy = max(0, end[phase] - begin[phase])
        if highest is not None or energy is not None:
            lines.append({"name": f"L{phase + 1}", "energy": energy, "highest": highest and highest / 1000})
    return lines


def _journal_from(at: datetime) -> datetime | None:
    """When the journal begins, where it no longer reaches back to ``at``: old entries go."""
    first = JournalEntry.objects.order_by("id").values_list("at", flat=True).first()
    return first if first is not None and at + LEAD < first else None


def _events(session: Transaction) -> QuerySet[JournalEntry]:
    """What the journal holds of a session.

    Its own entries, and what happened at its EVSE or to the station's links around it: a card is read and accepted
    before there is a transaction that the entry could name.
    """
    begin, end = session.started_at - LEAD, (session.ended_at or timezone.now()) + TAIL
    earlier = Transaction.objects.filter(evse_id=session.evse_id, started_at__lt=session.started_at)
    before = earlier.order_by("-started_at").values_list("ended_at", flat=True).first()
    alone = Q(transaction_id=None)
    here_ = Q(evse_id=session.evse_id) if session.evse_id is not None else Q(pk=None)
    return JournalEntry.objects.filter(
        Q(transaction_id=session.pk)
        | (alone & here_ & Q(at__range=(max(begin, before or begin), end)))
        | (alone & Q(evse_id=None, kind__in=_OF_THE_STATION, at__range=(session.started_at, end)))
    ).order_by("at", "id")[:MOST_EVENTS]
