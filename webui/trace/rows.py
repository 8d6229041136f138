"""A line of the trace as a piece of HTML."""

from __future__ import annotations

from typing import Any

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from station.live import trace
from webui.templatetags.quantities import number
from webui.trace.book import Exchange


def row(line: Exchange) -> SafeString:
    """The line; its element's id is ``t-`` and the entry's."""
    return mark_safe(render_to_string("trace/_row.html", context(line)))  # noqa: S308 - rendered by a template


def context(line: Exchange) -> dict[str, Any]:
    """What a template needs to know of a line."""
    at = timezone.localtime(line.at)
    return {
        "line": line,
        "at": at,
        "millis": f"{at.microsecond // 1000:03d}",
        "earlier": at.date() != timezone.localdate(),
        "latency": waited(line.latency),
        "slow": (line.latency or 0) > 5,
        "named": line.evse is not None and f"EVSE {line.evse}" in line.said,
        "heard": line.answer is not None and line.answer is not line.first,
        "stray": line.first.kind in (trace.RESULT, trace.ERROR),
    }


def waited(seconds: float | None) -> str:
    """How long an answer took."""
    if seconds is None:
        return ""
    if seconds < 1:
        return _("%(time)s ms") % {"time": number(seconds * 1000, 1 if seconds < 0.01 else 0)}
    return _("%(time)s s") % {"time": number(seconds, 1)}
