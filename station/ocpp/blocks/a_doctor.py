"""The connection doctor's desk: an operator asks, the uplink walks, everybody may read what was found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from station.domain.diagnosis import Diagnosis
from station.domain.effects import DiagnoseConnection, FinishCommand, StopDiagnosis
from station.domain.events import ConnectionDiagnosed, LinkDown, LinkUp, OperatorCommand
from station.domain.moment import Moment, rfc3339
from station.domain.network import SECURITY_PROFILES, NetworkProfile, flaw_of_scheme, flaw_of_url
from station.ocpp.block import Block
from station.ocpp.context import Context

DIAGNOSIS = "connection_diagnosis"  # remembered: the last one that came to its end, as ``Diagnosis.as_json``
SHOWN = 30.0  # s that a diagnosis stays in the live view after its end


class ConnectionDoctor(Block):
    """Operator commands ``diagnose_connection`` (``slot``, or ``csms_url`` and ``security_profile``) and
    ``stop_diagnosis``.

    ``profile_of`` gives the network profile of a slot as it is stored, None where it is empty. A new diagnosis takes
    the place of the one under way.
    """

    def __init__(self, context: Context, profile_of: Callable[[int], NetworkProfile | None]) -> None:
        super().__init__()
        self._context = context
        self._profile_of = profile_of
        self._link: NetworkProfile | None = None  # connected by it
        self._current: Diagnosis | None = None
        self._ended: float | None = None

    def current(self, now: Moment) -> Diagnosis | None:
        """What is under way, or has just ended."""
        if self._ended is not None and now.monotonic > self._ended + SHOWN:
            return None
        return self._current

    def on(self, event: object, now: Moment) -> None:
        match event:
            case OperatorCommand(action="diagnose_connection"):
                self._begin(event, now)
            case OperatorCommand(action="stop_diagnosis"):
                self._stop(event, now)
            case ConnectionDiagnosed():
                self._found(event, now)
            case LinkUp():
                self._link = self._profile_of(event.slot)
            case LinkDown():
                self._link = None

    def _begin(self, command: OperatorCommand, now: Moment) -> None:
        profile, slot, flaw = self._wanted(command)
        if profile is None:
            self._finish(command, "Rejected", flaw)
            return
        if self._current is not None and not self._current.over:
            self._context.emit(StopDiagnosis(self._current.diagnosis_id))
        begun = rfc3339(self._context.clock.utc(now))
        self._current = Diagnosis(self._context.new_id(), profile.csms_url, profile.security_profile, slot, begun)
        self._ended = None
        link = self._link
        connected = link is not None and (link.csms_url, link.security_profile) == (
            profile.csms_url,
            profile.security_profile,
        )
        registration = self._context.outbox.registration if connected else None
        self._context.emit(DiagnoseConnection(self._current.diagnosis_id, profile, connected, registration))
        self._finish(command, "Accepted", self._current.diagnosis_id)

    def _wanted(self, command: OperatorCommand) -> tuple[NetworkProfile | None, int | None, str]:
        asked = command.arguments
        slot, url, security_profile = asked.get("slot"), asked.get("csms_url"), asked.get("security_profile")
        if slot is not None:
            profile = self._profile_of(slot) if isinstance(slot, int) else None
            return profile, slot, "" if profile else f"Network slot {slot} is not configured."
        if not isinstance(url, str) or security_profile not in SECURITY_PROFILES:
            return None, None, "A slot is needed, or a URL and a security profile from 1 to 3."
        if flaw := flaw_of_url(url):
            return None, None, f"The URL {flaw}."
        if flaw := flaw_of_scheme(url, security_profile):
            return None, None, f"This cannot be: {flaw}."
        return NetworkProfile(0, url, security_profile), None, ""

    def _stop(self, command: OperatorCommand, now: Moment) -> None:
        if self._current is None or self._current.over:
            self._finish(command, "Rejected", "Nothing is being looked at.")
            return
        self._context.emit(StopDiagnosis(self._current.diagnosis_id))
        self._current = replace(self._current, over=True)
        self._ended = now.monotonic
        self._finish(command, "Accepted", "Stopped.")

    def _found(self, found: ConnectionDiagnosed, now: Moment) -> None:
        current = self._current
        if current is None or current.over or found.diagnosis_id != current.diagnosis_id:
            return
        self._current = replace(current, steps=found.steps, over=found.over)
        if found.over:
            self._ended = now.monotonic
            self._context.remember(DIAGNOSIS, self._current.as_json())

    def _finish(self, command: OperatorCommand, status: str, message: str) -> None:
        self._context.emit(FinishCommand(command.command_id, status, message))
