"""For the pages about access."""

from __future__ import annotations

from typing import Any

from django import template

from webui.access import gate

register = template.Library()


@register.filter
def time_left(seconds: Any) -> str:
    """Seconds as minutes and seconds: ``1:52``."""
    try:
        return gate.time_left(float(seconds))
    except (TypeError, ValueError):
        return ""
