"""The electrical data of the place, as an installer says them on the running station (commissioning)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from station.device_model.components import EVSE
from station.device_model.installation import ELECTRICAL, INSTALLERS, Unfit, kind_of, set_up
from station.device_model.naming import UnknownName, parse
from station.device_model.values import encode
from station.domain.effects import FinishCommand, SaveVariable, SetBy
from station.domain.events import OperatorCommand
from station.domain.moment import Moment
from station.domain.signals import SecurityEvent, VariableChanged
from station.ocpp.block import Block
from station.ocpp.context import Context

TECH_INFO_LENGTH = 255  # SecurityEventNotificationRequest
MOST = 300  # variables in one command; a station of 32 EVSEs has half as many

Wishes = Sequence[tuple[str, str]]


class _Refused(Exception):
    """The text is for the person who asked."""


class Installation(Block):
    """Carries out ``set_installation`` (variables: texts by name), by the rules that ``manage.py provision`` has, too.

    A read-only variable may be among them, for over OCPP nobody sets these; but only what ``INSTALLERS`` names. What
    the wires carry does not change under a session: while one runs, other electrical data are refused.
    """

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context

    def on(self, event: object, now: Moment) -> None:
        if isinstance(event, OperatorCommand) and event.action == "set_installation":
            try:
                said = self._set(event)
            except (_Refused, Unfit) as refusal:
                self._context.emit(FinishCommand(event.command_id, "Rejected", f"{refusal}."))
            else:
                self._context.emit(FinishCommand(event.command_id, "Accepted", said))

    def _set(self, command: OperatorCommand) -> str:
        wishes = self._checked(_read(command.arguments.get("variables")))
        board = {
            evse.id: evse.snapshot.cable_limit
            for evse in self._context.evses.values()
            if evse.snapshot is not None and not evse.socket  # a socket carries what the driver's cable does
        }
        effects = [effect for effect in set_up(self._context.model, wishes, board) if effect.old != effect.value]
        for effect in effects:
            self._keep(effect, command.who)
        if not effects:
            return "Nothing has changed."
        told = f"by {command.who}: " + "; ".join(f"{_place(one)} = {one.value}" for one in effects)
        self._context.raise_signal(SecurityEvent("ConfigurationChanged", told[:TECH_INFO_LENGTH]))  # A01.FR.11
        return "Kept."

    def _checked(self, wishes: Wishes) -> Wishes:
        """Only what an installer may say, and nothing under a running session."""
        busy = any(seat.transaction for seat in self._context.seats())
        for name, text in wishes:
            try:
                entry = self._context.model.entry(parse(name))
            except UnknownName as unknown:
                raise _Refused(str(unknown)) from None
            kind = f"{entry.names.component}.{entry.names.variable}"
            if kind not in INSTALLERS:
                raise _Refused(f"{entry.names} is not an installer's to set")
            as_it_is = encode(float(entry.limits.maximum or 0)) if entry.variable.rated else entry.text()
            if busy and kind in ELECTRICAL and text != as_it_is:
                raise _Refused("A session is running. Electrical data can be changed when it has ended")
        return wishes

    def _keep(self, effect: SaveVariable, who: str) -> None:
        self._context.emit(replace(effect, by=SetBy.PERSON, who=who))
        self._context.raise_signal(
            VariableChanged(
                effect.component,
                effect.variable,
                effect.variable_instance,
                effect.evse_id,
                effect.connector_id,
                effect.old,
                effect.value,
            )
        )
        if kind_of(effect) == "EVSE.Power":
            rating = self._context.model.limits(EVSE.Power.at(effect.evse_id)).maximum
            self._context.evses[effect.evse_id].meter.max_power = float(rating or 0.0)


def _read(told: Any) -> Wishes:
    readable = isinstance(told, dict) and 0 < len(told) <= MOST
    if not readable or not all(isinstance(one, str) for pair in told.items() for one in pair):
        raise _Refused("This cannot be read")
    return [(name, text) for name, text in told.items()]


def _place(effect: SaveVariable) -> str:
    place = ".".join(str(number) for number in (effect.evse_id, effect.connector_id) if number)
    return f"{effect.component}{f'@{place}' if place else ''}.{effect.variable}"
