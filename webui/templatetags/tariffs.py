"""A tariff in words, for templates; the words are loaded with the first page that needs them (memory)."""

from __future__ import annotations

from typing import Any

from django import template

register = template.Library()


@register.simple_tag
def describe(terms: Any) -> Any:
    """``webui.tariff.describe.described``."""
    from webui.tariff.describe import described

    return described(terms)
