"""What a functional block is: a table of the actions it answers, and an ear for what happens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from station.domain.moment import Moment

Payload: TypeAlias = Mapping[str, Any]
Handler: TypeAlias = Callable[[Payload, Moment], dict[str, Any] | None]


class CallRefused(Exception):
    """Raised by a handler to answer with a CALLERROR. ``code`` is one of part 4, table 7."""

    def __init__(self, code: str, description: str = "") -> None:
        super().__init__(description or code)
        self.code = code
        self.description = description


class Block:
    """Base of the functional blocks.

    ``actions`` maps an action of the CSMS to the handler that answers it. A handler takes the payload (already
    valid against the schema) and now, and returns the response's payload; None means that the block answers
    later itself (it must have noted the call id with ``Context.answer_later``). It may raise ``CallRefused``. What it
    wants done otherwise it hands to ``Context.emit`` and ``Context.call``; the station puts the answer on the wire
    before any of that.

    ``on`` hears every event of ``domain.events`` and every signal of ``domain.signals`` that another block raised.
    """

    def __init__(self) -> None:
        self.actions: dict[str, Handler] = {}

    def on(self, event: object, now: Moment) -> None:
        """React to an event or signal; most blocks dispatch on its type."""

    def deadline(self) -> float | None:
        """When this block next wants a Tick (monotonic seconds), or None."""
        return None
