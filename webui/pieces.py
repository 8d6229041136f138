"""Pieces of HTML that are replaced one by one, and the marks that tell whether one has changed."""

from __future__ import annotations

import zlib

from django.utils.safestring import SafeString, mark_safe


def mark(html: str) -> str:
    """Eight characters that differ where ``html`` does; not for security."""
    return f"{zlib.crc32(html.encode()):08x}"


def marked(name: str, html: str) -> SafeString:
    """``html``, whose outermost element has the id ``name``, with its mark on that element as ``data-mark``."""
    here = f' id="{name}"'
    return mark_safe(html.replace(here, f'{here} data-mark="{mark(html)}"', 1))  # noqa: S308 - rendered by a template
