"""What long work there is. A room registers its own in its ``AppConfig.ready``; the code that does it loads later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of work.

    ``maker`` is the dotted name of a function that takes a ``doing.Work`` and makes the file. It is imported in the
    process that does the work, which ends with it; so it may load what it likes. ``back`` is the name of the address
    of the page from which it is ordered.
    """

    name: str
    maker: str
    back: str = "work"

    def load(self) -> Callable[[Any], None]:
        """The maker; raises ImportError or AttributeError."""
        module, _, function = self.maker.rpartition(".")
        return getattr(import_module(module), function)  # type: ignore[no-any-return]


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Make it known; once more with the same name replaces it."""
    _kinds[kind.name] = kind


def known(name: str) -> Kind | None:
    """None where no room of this firmware does such work (any more)."""
    return _kinds.get(name)
