"""The rig of the real thing: the running appliance, a real WebSocket, the bench, and time as it passes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from station.csms.session import CallError as SessionCallError
from tests.conformance.rig import CARD, CallError, Error, Message, Payload, Reply, Rig
from tests.support.appliance import PASSWORD, QUICK, Appliance
from tests.support.csms import SILENCE, Refuse, ScriptedCsms
from tests.support.waiting import wait_until


class OnAppliance(Rig):
    """One appliance for many cases: each starts it anew from an empty data folder of its own."""

    name = "appliance"

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._csms = ScriptedCsms(password=PASSWORD)
        self._appliance = Appliance(folder)

    def __enter__(self) -> OnAppliance:
        self._csms.__enter__()
        self._appliance.__enter__()
        return self

    def __exit__(self, *details: Any) -> None:
        self._appliance.__exit__(*details)
        self._csms.__exit__(*details)

    def start(self, **variables: str) -> None:
        settings = (*QUICK, *(f"{name}={value}" for name, value in variables.items()))
        self._appliance.provision_csms(self._csms.url, password=PASSWORD, variables=settings)
        self._appliance.start()
        self._appliance.wait_registered()
        # every connector's status and the security event of the boot: then it is quiet
        self.expect("SecurityEventNotification")
        for _ in range(self.evses):
            self.expect("StatusNotification")
        self.forget()

    def power_cycle(self) -> None:
        self._appliance.kill9()
        self._appliance.start(healthy=False)

    def let(self, seconds: float) -> None:
        time.sleep(seconds)

    def wait_until(self, condition: Callable[[], Any], within: float) -> bool:
        try:
            wait_until(condition, "", within)
        except AssertionError:
            return False
        return True

    # ------------------------------------------------------------------ the CSMS

    def call(self, action: str, payload: Mapping[str, Any] | None = None) -> Payload:
        self._csms.wait_connected(30)
        try:
            answer: Payload = self._csms.call(action, payload)
        except SessionCallError as error:
            raise CallError(error.code, str(error)) from None
        return answer

    def answer(self, action: str, reply: Reply | Error) -> None:
        self._csms.on(action, _translated(reply))

    def answer_by_default(self, *actions: str) -> None:
        self._csms.default(*actions)

    def messages(self) -> list[Message]:
        return [
            Message(place, str(frame.action), frame.payload)
            for place, frame in enumerate(self._csms.frames())
            if frame.direction == "in" and frame.is_call
        ]

    def frames(self) -> list[tuple[str, Any]]:
        return [(">" if frame.direction == "in" else "<", frame.frame) for frame in self._csms.frames()]

    def go_away(self) -> None:
        self._csms.refuse()

    def come_back(self) -> None:
        self._csms.accept()
        self._csms.wait_connected(60)

    # ------------------------------------------------------------------ hands

    def plug(self, evse: int = 1, *, requests_energy: bool = True) -> None:
        self._appliance.plug(evse, requests_energy=requests_energy)

    def unplug(self, evse: int = 1) -> None:
        self._appliance.unplug(evse)

    def card(self, uid: str = CARD, *, evse: int | None = None, type: str = "ISO14443") -> None:
        self._appliance.bench("/rfid", {"uid": uid, "type": type, **({"evse": evse} if evse else {})})

    def ev(self, evse: int = 1, **changes: Any) -> None:
        self._appliance.bench(f"/evse/{evse}/ev", changes)

    def fault(self, evse: int = 1, code: str | None = "GroundFailure") -> None:
        self._appliance.bench(f"/evse/{evse}/fault", {"code": code})

    def bay(self, evse: int = 1, *, occupied: bool = True) -> None:
        self._appliance.bench(f"/evse/{evse}/bay", {"occupied": occupied})

    def door(self, *, opened: bool = True) -> None:
        self._appliance.bench("/door", {"open": opened})


def _translated(reply: Reply | Error) -> Any:
    if reply is None:
        return SILENCE
    if isinstance(reply, Error):
        return Refuse(reply.code)
    return reply
