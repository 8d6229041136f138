"""Two people edit the same thing: a form carries the version of what it showed, and the later one is told.

A page puts ``version_of`` what it shows into its form (templates/_version.html). When the form comes back, ``conflict``
says whether that is still so. If not, nothing is done; the page shows both values (templates/_conflict.html) with what
was typed, and the form carries the version of now, so that sending it once more is a decision.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

FIELD = "version"
STATUS = 409  # of the answer


class Difference(NamedTuple):
    """A field whose value somebody else has set: what it is called, what it is now, what was typed here."""

    label: Any
    now: str
    typed: str


class Conflict(NamedTuple):
    """What has changed since the form was shown, and the version of now. Without differences it is a secret."""

    version: str
    differences: list[Difference]


def version_of(values: Mapping[str, Any]) -> str:
    """A short text that differs where ``values`` do."""
    text = json.dumps({name: str(value) for name, value in values.items()}, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def carried(posted: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """The version for a form that is shown again because of something else that is wrong with it: still its own."""
    return str(posted.get(FIELD) or version_of(now))[:64]


def conflict(
    posted: Mapping[str, Any],
    now: Mapping[str, Any],
    typed: Mapping[str, Any],
    labels: Mapping[str, Any],
    *,
    secret: bool = False,
) -> Conflict | None:
    """What speaks against setting ``typed`` in the place of ``now``; None: nothing.

    Somebody who has set the very same is no conflict. A form without a version (a script's) is not asked for one.
    ``secret``: the values are nobody's to see, and not compared.
    """
    told, version = posted.get(FIELD), version_of(now)
    if not told or told == version:
        return None
    differences = [
        Difference(labels.get(name, name), str(now[name]), str(typed[name]))
        for name in now
        if not secret and name in typed and str(now[name]) != str(typed[name])
    ]
    return Conflict(version, differences) if differences or secret else None
