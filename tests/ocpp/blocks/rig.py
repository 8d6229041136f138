"""One block and what it needs, with a CSMS that answers at once: for tests of blocks by themselves."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any, cast

from station.device_model.components import ClockCtrlr
from station.device_model.model import DeviceModel
from station.domain.clock import Clock
from station.domain.effects import Call
from station.domain.events import CallAnswered, CallFailed
from station.domain.moment import Moment
from station.domain.reservation import Reservations
from station.ocpp import schemas
from station.ocpp.block import Block
from station.ocpp.context import Context
from station.ocpp.frames import encode
from station.ocpp.outbox import Outbox

NOW = Moment(datetime(2030, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC), 1000.0)


class Rig:
    """A real context and outbox. EVSE sessions and availability are not part of it: blocks B05 to B08 need none."""

    def __init__(self, evses: int = 2) -> None:
        self.model = DeviceModel(evses)
        self.clock = Clock()
        self.context = Context(
            model=self.model,
            evses={},
            lobby=cast(Any, None),
            availability=cast(Any, None),
            reservations=Reservations({}),
            clock=self.clock,
            remembered={},
            entropy=random.Random(1),
        )
        self.context.outbox = Outbox([], self.model, self.clock, self.context.new_id, self.context.emit)
        self.context.outbox.online = True
        self.context.outbox.registration = "Accepted"
        self.model.source(ClockCtrlr.DateTime, lambda: self.clock.utc(NOW))

    def ask(self, block: Block, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """The block's answer; request and answer are valid against their schemas."""
        schemas.validate_request(action, payload)
        answer = block.actions[action](payload, NOW)
        assert answer is not None
        schemas.validate_response(action, answer)
        return answer

    def next_call(self) -> Call | None:
        """What goes on the wire next, or None; valid against its schema."""
        self.context.effects.clear()
        self.context.outbox.pump(NOW)
        calls = [effect for effect in self.context.effects if isinstance(effect, Call)]
        assert len(calls) <= 1
        for call in calls:
            schemas.validate_request(call.action, call.payload)
        return calls[0] if calls else None

    def answer(self, call: Call, payload: dict[str, Any] | None = None) -> None:
        self.context.outbox.answered(CallAnswered(call.call_id, payload or {}), NOW)

    def fail(self, call: Call, code: str) -> None:
        self.context.outbox.failed(CallFailed(call.call_id, code), NOW)

    def all_calls(self) -> list[Call]:
        """Everything that goes on the wire while each call is answered at once."""
        calls = []
        while call := self.next_call():
            calls.append(call)
            self.answer(call)
        return calls


def frame_length(call: Call) -> int:
    """Bytes of the CALL on the wire."""
    return len(encode([2, call.call_id, call.action, call.payload]).encode())
