"""Which of two firmware versions is the older one.

A version is 1 to 50 characters: letters, digits, ``.``, ``-``, ``_``, ``~`` and ``+`` (BootNotification has room for
50). They are ordered as Semantic Versioning 2.0 orders its own, taken on to whatever a manufacturer may write:

* a ``v`` before a digit, and all from ``+`` on, say nothing about the order;
* what is before the first ``-`` is the release: its runs of digits are numbers, its runs of letters are words, the rest
  separates them; a missing number is 0, a number comes before a word;
* a version with something after the ``-`` comes before its release (``1.2.0-rc1`` before ``1.2.0``), and among
  themselves those are ordered by the same runs.

So 0.9 < 0.10, 1.2 = 1.2.0 and 1.2.0-rc.2 < 1.2.0-rc.10 < 1.2.0. This module imports the standard library only, as it
is also loaded by itself (``firmware.slots``).
"""

from __future__ import annotations

import re

LENGTH = 50
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+_~-]{0,49}")
_RUN = re.compile(r"[0-9]+|[A-Za-z]+")

Key = tuple[tuple[tuple[int, int, str], ...], int, tuple[tuple[int, int, str], ...]]


def is_version(text: str) -> bool:
    """Whether ``text`` can be the version of a firmware."""
    return bool(_VERSION.fullmatch(text))


def older(one: str, other: str) -> bool:
    """Whether ``one`` comes before ``other``."""
    return key(one) < key(other)


def key(version: str) -> Key:
    """What to sort versions by; any text has one."""
    text = version.strip().partition("+")[0]
    if re.match(r"[vV][0-9]", text):
        text = text[1:]
    release, dash, before = text.partition("-")
    runs = _runs(release)
    while runs and runs[-1] == (0, 0, ""):
        runs = runs[:-1]
    return runs, 0 if dash else 1, _runs(before)


def _runs(text: str) -> tuple[tuple[int, int, str], ...]:
    return tuple((0, int(run), "") if run[0].isdigit() else (1, 0, run.lower()) for run in _RUN.findall(text))
