"""QR codes as vectors: squares, so that they are sharp on any screen and any printer."""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.safestring import SafeString

BORDER = 4  # modules of white around it, ISO/IEC 18004


def matrix(text: str) -> list[list[bool]]:
    """The modules of the code for ``text``, row by row, without a border. Raises ValueError where it is too long."""
    import segno  # wanted on one page and on one paper

    return [[bool(module) for module in row] for row in segno.make(text, micro=False, error="m").matrix]


def svg(text: str) -> SafeString:
    """The code as an SVG picture for a page; empty for an empty text."""
    if not text:
        return SafeString("")
    rows = matrix(text)
    size = len(rows) + 2 * BORDER
    path = "".join(
        f"M{x + BORDER} {y + BORDER}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark
    )
    return format_html(
        '<svg class="code" viewBox="0 0 {0} {0}" role="img" aria-label="{1}" shape-rendering="crispEdges">'
        '<rect width="{0}" height="{0}" fill="#fff"/><path d="{2}" fill="#000"/></svg>',
        size,
        text,
        path,
    )
