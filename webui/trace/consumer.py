"""The trace while somebody looks at it: new lines on top, answers as they come.

Each open page reads on in the ring by itself, twice a second; while none is open nobody reads, and the uplink never
knows. However many messages come at once, a page gets its hundred newest in one piece.
"""

from __future__ import annotations

import asyncio
from typing import Any

from asgiref.sync import sync_to_async
from django.http import QueryDict
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from webui.accounts import guard
from webui.accounts.roles import Role
from webui.consumers import SESSION_CHECK, LiveConsumer, what_it_has

LOOK = 0.45  # s between two looks
SPEAK = 4.0  # s after which the page is told that all is well, or it takes the line for dead
ON_PAGE = 100  # lines of the first paint
MOST_ON_PAGE = 200
REMEMBERED = 500  # lines whose answers may still come
ROWS, SEEN, NOTICE = "trace-rows", "trace-seen", "trace-notice"


class TraceConsumer(LiveConsumer):
    """One page of the trace that is open; it says with what filter, and up to where it has painted."""

    role = Role.INSTALLER

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """The page's only word. Whatever else comes is ignored."""
        if self._watch is not None or guard.refusal(self.scope, self.role):
            return
        have = what_it_has(text_data)
        watching = await sync_to_async(_Watching)(have.get(ROWS, ""), have.get(SEEN, ""))
        self._watch = asyncio.create_task(self._follow(watching))

    async def disconnect(self, code: int) -> None:
        if self._watch is not None:
            self._watch.cancel()

    async def _follow(self, watching: _Watching) -> None:
        from webui.trace import reading

        loop = asyncio.get_running_loop()
        follower = reading.Follower()
        spoke = checked = loop.time()
        away = False
        try:
            while True:
                try:
                    while news := await follower.news():
                        watching.take(news)
                    html = watching.changes()
                    if away:
                        html += _notice(False)
                    away = False
                except reading.Away:
                    html = "" if away else _notice(True)
                    away = True
                now = loop.time()
                if html or now - spoke > SPEAK:
                    spoke = now
                    await self.send(text_data=html + watching.seen())
                if now - checked > SESSION_CHECK:
                    checked = now
                    if code := await guard.refusal_now(self.scope, self.role):
                        await self.close(code=code)
                        return
                await asyncio.sleep(LOOK)
        finally:
            await follower.close()


class _Watching:
    """What a page shows, and what has changed since."""

    def __init__(self, watched: str, seen: str) -> None:
        from webui.trace import reading
        from webui.trace.book import Book
        from webui.trace.forms import TraceFilter

        query = QueryDict(watched[:2_000])
        self._language = query.get("lang") or translation.get_language() or "en"
        self._filter = TraceFilter(query)
        self._wants_all = not self._filter.is_valid()
        self._book = Book(REMEMBERED)
        self._seen = seen if reading.ENTRY.fullmatch(seen) else "0-0"
        self._painted = False  # whether the ring was read up to what the page has
        self._shown: list[str] = []  # the oldest first
        self._changed: dict[str, Any] = {}

    def take(self, news: list[tuple[str, Any]]) -> None:
        """Records in the order of the ring, from its beginning on."""
        seen = _order(self._seen)
        for entry, record in news:
            if not self._painted and _order(entry) > seen:
                self._paint()
            lines = self._book.add(entry, record)
            if self._painted:
                self._changed.update((line.entry, line) for line in lines)

    def _paint(self) -> None:
        """The page's first paint, gone through once more: the same ring, the same filter."""
        self._painted = True
        fitting = [line.entry for line in self._book if self._fits(line)]
        self._shown = fitting[:ON_PAGE][::-1]

    def _fits(self, line: Any) -> bool:
        return self._wants_all or self._filter.fits(line)

    def changes(self) -> str:
        """What the page has to change, as pieces for htmx; empty where it is up to date."""
        from webui.trace.rows import row

        if not self._painted:
            self._paint()
        changed, self._changed = self._changed, {}
        with translation.override(self._language):
            shown = set(self._shown)
            fresh = [line for entry, line in changed.items() if entry not in shown and self._fits(line)]
            later = [line for entry, line in changed.items() if entry in shown]
            if not fresh and not later:
                return ""
            fresh.sort(key=lambda line: _order(line.entry))
            if len(fresh) >= ON_PAGE:
                fresh = fresh[-ON_PAGE:]
                self._shown = [line.entry for line in fresh]
                return _piece("innerHTML", [row(line) for line in reversed(fresh)])
            parts = [row(line) for line in later]
            if fresh:
                parts.append(_piece("afterbegin", [row(line) for line in reversed(fresh)]))
                self._shown += [line.entry for line in fresh]
            too_old = self._shown[:-MOST_ON_PAGE]
            parts += [format_html('<li id="t-{}" hx-swap-oob="delete"></li>', entry) for entry in too_old]
            self._shown = self._shown[-MOST_ON_PAGE:]
            return "".join(parts)

    def seen(self) -> str:
        """How far the page is, for when its line is lost."""
        return format_html('<span id="{}" data-mark="{}" hidden></span>', SEEN, self._book.last)


def _piece(swap: str, rows: list[SafeString]) -> SafeString:
    return format_html(
        '<ol hx-swap-oob="{}:#{}">{}</ol>', swap, ROWS, format_html_join("", "{}", ((row,) for row in rows))
    )


def _notice(away: bool) -> str:
    return render_to_string("trace/_notice.html", {"away": away})


def _order(entry: str) -> tuple[int, int]:
    stamp, _, number = entry.partition("-")
    return int(stamp), int(number)
