"""The trace of OCPP for an installer: every message, as words and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from station.domain.moment import rfc3339
from station.live.trace import Record
from webui.accounts.guard import installer
from webui.trace import book, pretty, reading, rows
from webui.trace.book import Book, Exchange
from webui.trace.forms import TraceFilter

PER_PAGE = 100


@never_cache
@require_safe
@installer
def trace(request: HttpRequest) -> HttpResponse:
    """The page; ``before`` is the line that it begins below, ``still`` keeps it as it is."""
    before = request.GET.get("before", "")
    if before and not reading.ENTRY.fullmatch(before):
        raise Http404
    chosen = TraceFilter(request.GET)
    found, away = _book()
    lines: list[Exchange] = []
    if chosen.is_valid():
        fitting = (line for line in found if chosen.fits(line) and (not before or _order(line) < _order_of(before)))
        lines = list(islice(fitting, PER_PAGE + 1))
    live = not before and "still" not in request.GET and chosen.is_valid()
    query = _query(request)
    context = {
        "form": chosen,
        "filtered": chosen.narrows,
        "rows": [rows.row(line) for line in lines[:PER_PAGE]],
        "older": lines[PER_PAGE - 1].entry if len(lines) > PER_PAGE else None,
        "newest": not before,
        "live": live,
        "away": away,
        "kept": len(found),
        "query": query.urlencode(),
        "watched": _watched(query),
        "seen": found.last,
    }
    return render(request, "trace/trace.html", context, status=200 if chosen.is_valid() else 400)


@never_cache
@require_safe
@installer
def line(request: HttpRequest, entry: str) -> HttpResponse:
    """One line whole: a page, or for htmx the piece that opens below it."""
    found, away = _book()
    shown = found.get(entry)
    if shown is None:
        return render(request, "trace/gone.html", {"away": away}, status=503 if away else 404)
    context = {**rows.context(shown), "messages": _messages(shown), "piece": bool(request.htmx)}
    return render(request, "trace/_line.html" if request.htmx else "trace/line.html", context)


@never_cache
@require_safe
@installer
def export(request: HttpRequest) -> HttpResponse:
    """What fits the filter as JSON lines, the oldest first; redacted as it is kept."""
    chosen = TraceFilter(request.GET)
    if not chosen.is_valid():
        raise Http404
    found, away = _book()
    if away:
        return render(request, "trace/gone.html", {"away": True}, status=503)
    response = StreamingHttpResponse(_exported(found, chosen), content_type="application/jsonl; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="trace_{datetime.now(UTC):%Y%m%dT%H%M%SZ}.jsonl"'
    return response


def _book() -> tuple[Book, bool]:
    try:
        return book.read(reading.whole()), False
    except reading.Away:
        return Book(), True


def _order(line: Exchange) -> tuple[int, int]:
    return _order_of(line.entry)


def _order_of(entry: str) -> tuple[int, int]:
    stamp, _, number = entry.partition("-")
    return int(stamp), int(number)


def _query(request: HttpRequest) -> QueryDict:
    query = request.GET.copy()
    for name in list(query):
        if name not in TraceFilter.base_fields or not query[name]:
            del query[name]
    return query


def _watched(query: QueryDict) -> str:
    """What the page tells the live line: its filter and its language."""
    watched = query.copy()
    watched["lang"] = translation.get_language() or ""
    return watched.urlencode()


def _messages(shown: Exchange) -> list[dict[str, Any]]:
    return [_message(record) for record in _records(shown)]


def _records(shown: Exchange) -> list[Record]:
    if shown.answer is None or shown.answer is shown.first:
        return [shown.first]
    return [shown.first, shown.answer]


def _message(record: Record) -> dict[str, Any]:
    flaw = record.flaw[1] if record.flaw else ""
    return {
        "record": record,
        "at": rfc3339(datetime.fromtimestamp(record.at, UTC)),
        "lines": pretty.lines(record.payload, flaw) if record.payload is not None else None,
        "flaw": record.flaw,
    }


def _exported(found: Book, chosen: TraceFilter) -> Iterator[str]:
    for shown in reversed([line for line in found if chosen.fits(line)]):
        latency = shown.latency
        for record in _records(shown):
            told: dict[str, Any] = {
                "at": rfc3339(datetime.fromtimestamp(record.at, UTC)),
                "kind": record.kind,
                "from": "station" if record.direction == "out" else "csms",
                "messageId": record.message_id,
                "action": record.action,
                "payload": record.payload,
                "bytes": record.size,
            }
            if record.cut:
                told["shortened"] = True
            if record.flaw:
                told["flaw"] = {"code": record.flaw[0], "description": record.flaw[1]}
            if record is shown.answer and latency is not None:
                told["latencyMs"] = round(latency * 1000, 1)
            if record is shown.first and shown.state and shown.state != book.ANSWERED:
                told["state"] = shown.state
            yield json.dumps(told, ensure_ascii=False) + "\n"
