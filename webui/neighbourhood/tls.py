"""What a broker's certificate is verified by."""

from __future__ import annotations

import ssl


def context(ca: str) -> ssl.SSLContext:
    """That certificate (PEM) alone, or the roots of the operating system. Raises ssl.SSLError."""
    return ssl.create_default_context(cadata=ca) if ca else ssl.create_default_context()
