"""What happens in a simulated life: a list of deeds, each at its time, that a seed writes and a shrinker shortens.

A script is data: whoever has it plays the same life again, also with some deeds left out. A deed that makes no sense
when its time comes (a cable pulled that is not in) does nothing, so every part of a script is a script.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

DAY = 86_400.0  # s


@dataclass(frozen=True, slots=True)
class Deed:
    """Somebody or something does ``kind`` at ``at`` (seconds since the script began). ``group`` belongs together."""

    at: float
    kind: str
    args: Mapping[str, Any] = field(default_factory=dict)
    group: str = ""

    def __getitem__(self, name: str) -> Any:
        return self.args[name]

    def get(self, name: str, otherwise: Any = None) -> Any:
        return self.args.get(name, otherwise)


@dataclass(frozen=True, slots=True)
class Script:
    """A life. ``sockets`` are the EVSEs that a driver brings the cable for; ``seed`` also feeds its chance."""

    seed: int
    days: float
    evses: int
    variables: Mapping[str, str]
    deeds: tuple[Deed, ...]
    sockets: tuple[int, ...] = ()
    cards: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # uid -> IdTokenInfoType
    style: str = ""

    def dump(self) -> str:
        """JSON, one deed a line."""
        head = {key: value for key, value in asdict(self).items() if key != "deeds"}
        lines = ",\n  ".join(json.dumps([deed.at, deed.kind, dict(deed.args), deed.group]) for deed in self.deeds)
        return json.dumps(head)[:-1] + ', "deeds": [\n  ' + lines + "\n]}\n"

    @classmethod
    def load(cls, text: str) -> Script:
        """What ``dump`` gave."""
        data = json.loads(text)
        data["deeds"] = tuple(Deed(*parts) for parts in data["deeds"])
        data["sockets"] = tuple(data["sockets"])
        return cls(**data)
