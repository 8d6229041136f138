"""The audit log for administrators: who did what, when, from where; as a page and as CSV."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from typing import Any

from asgiref.sync import sync_to_async
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from webui.accounts import audit
from webui.accounts.audit_log.reading import BITE, AuditFilter, Entry, entries
from webui.accounts.guard import administrator

PER_PAGE = 50
COLUMNS = ("at", "who", "kind", "what", "detail", "outcome", "address")
_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@never_cache
@require_safe
@administrator
def audit_log(request: HttpRequest) -> HttpResponse:
    """The page; ``before`` is the cursor that it begins below."""
    chosen = AuditFilter(request.GET)
    found: list[Entry] = []
    if chosen.is_valid():
        try:
            found = list(entries(chosen, request.GET.get("before", ""), PER_PAGE + 1))
        except (ValueError, OverflowError) as wrong:
            raise Http404 from wrong
    query = request.GET.copy()
    query.pop("before", None)
    context = {
        "form": chosen,
        "filtered": any(query.get(name) for name in chosen.fields),
        "entries": found[:PER_PAGE],
        "older": found[PER_PAGE - 1].cursor if len(found) > PER_PAGE else "",
        "newest": not request.GET.get("before"),
        "query": query.urlencode(),
    }
    return render(request, "accounts/audit.html", context, status=200 if chosen.is_valid() else 400)


@never_cache
@require_safe
@administrator
def as_csv(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """All that fits the filter, written while it is read."""
    chosen = AuditFilter(request.GET)
    if not chosen.is_valid():
        return render(request, "accounts/audit.html", {"form": chosen, "filtered": True, "newest": True}, status=400)
    audit.note(request, "audit_exported")
    name = f"audit_{timezone.now():%Y%m%dT%H%M%SZ}.csv"
    return StreamingHttpResponse(
        _written(entries(chosen), translation.get_language() or "en"),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def _written(found: Iterator[Entry], language: str) -> AsyncIterator[bytes]:
    """The file, a bite at a time; the server reads it on its event loop, which must not wait for the database."""
    yield b"\xef\xbb\xbf" + _lines([COLUMNS])  # the mark by which spreadsheets know UTF-8
    while part := await sync_to_async(_bite)(found, language):
        yield part


def _bite(found: Iterator[Entry], language: str) -> bytes:
    with translation.override(language):
        return _lines(
            (one.at.isoformat(timespec="seconds"), one.who, one.kind, one.what, one.detail, one.said, one.address)
            for one in islice(found, BITE)
        )


def _lines(rows: Any) -> bytes:
    written: list[str] = []
    csv.writer(_Into(written)).writerows([_harmless(cell) for cell in row] for row in rows)
    return "".join(written).encode()


class _Into:
    """What ``csv`` writes to."""

    def __init__(self, written: list[str]) -> None:
        self.write = written.append


def _harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: names are what people typed."""
    return f"'{cell}" if cell.startswith(_STARTS_A_FORMULA) else cell
