"""Prometheus' text format, version 0.0.4.

Written here and not by prometheus-client: that is made for counters that a program keeps, and brings a registry, its
own process collectors and 2 MB. Here every figure is read anew when somebody asks, and what is left is three lines.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})
_HELP_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n"})


class Page:
    """Families in the order in which they were begun, each with its samples."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._names: set[str] = set()

    def family(self, name: str, kind: str, about: str) -> Family:
        """A metric of ``kind`` gauge or counter. Raises ValueError for one that was begun before."""
        if name in self._names:
            raise ValueError(f"{name} is there already")
        self._names.add(name)
        return Family(self._lines, name, [f"# HELP {name} {about.translate(_HELP_ESCAPES)}", f"# TYPE {name} {kind}"])

    def text(self) -> str:
        return "\n".join([*self._lines, ""])


class Family:
    """One metric. One without a sample does not show up at all: what is not known is not zero."""

    def __init__(self, lines: list[str], name: str, head: list[str]) -> None:
        self._lines, self._name, self._head = lines, name, head

    def add(self, value: float | None, labels: Mapping[str, object] | None = None) -> None:
        """A sample; None is none."""
        if value is None:
            return
        self._lines += self._head
        self._head = []
        named = ",".join(f'{name}="{str(text).translate(_ESCAPES)}"' for name, text in (labels or {}).items())
        self._lines.append(f"{self._name}{{{named}}} {_number(value)}" if named else f"{self._name} {_number(value)}")


def _number(value: float) -> str:
    value = float(value)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
