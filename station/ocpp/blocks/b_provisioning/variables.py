"""B05 and B06: setting and getting variables, by the CSMS and by an installer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from station.device_model.components import DeviceDataCtrlr, OCPPCommCtrlr, SecurityCtrlr
from station.device_model.definition import Variable
from station.device_model.model import Change
from station.device_model.naming import Names, from_json
from station.domain.effects import FinishCommand, SaveVariable, SetBy
from station.domain.events import OperatorCommand
from station.domain.moment import Moment
from station.domain.signals import SecurityEvent, VariableChanged
from station.ocpp.block import Block, CallRefused, Payload
from station.ocpp.context import Context
from station.ocpp.frames import encode

ADDITIONAL_INFO_LENGTH = 512
TECH_INFO_LENGTH = 255  # SecurityEventNotificationRequest
NETWORK_PRIORITY = OCPPCommCtrlr.NetworkConfigurationPriority.name  # which security profile is in use comes of it
_UNKNOWN_REASON = {
    "UnknownComponent": "there is no such component",
    "UnknownVariable": "the component has no such variable",
    "NotSupportedAttributeType": "the variable has no such attribute",
}


class Variables(Block):
    """Answers from memory; what is set is stored in the same step."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._changes: list[Change] = []  # of the request that is being handled
        self.actions = {"GetVariables": self.get_variables, "SetVariables": self.set_variables}

    def on(self, event: object, now: Moment) -> None:
        if isinstance(event, OperatorCommand) and event.action == "set_variable":
            self._operator(event)

    # ------------------------------------------------------------------ the CSMS

    def get_variables(self, request: Payload, now: Moment) -> dict[str, Any]:
        """Answer GetVariablesRequest: one result for each entry, in the same order (B06.FR.01)."""
        entries = request["getVariableData"]
        refuse_oversize(
            self._context,
            request,
            entries,
            DeviceDataCtrlr.ItemsPerMessageGetVariables,  # B06.FR.16
            DeviceDataCtrlr.BytesPerMessageGetVariables,  # B06.FR.17
        )
        return {"getVariableResult": [self._get(entry) for entry in entries]}

    def _get(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        attribute = entry.get("attributeType", "Actual")  # B06.FR.11
        got = self._context.model.get(from_json(entry["component"], entry["variable"]), attribute)
        result = {
            "attributeStatus": got.status,
            "attributeType": attribute,  # B06.FR.03
            "component": entry["component"],  # B06.FR.02, B06.FR.14: as it was asked for
            "variable": entry["variable"],
        }
        if got.status == "Accepted":
            result["attributeValue"] = got.value  # B06.FR.04, B06.FR.13
        elif got.reason_code:
            result["attributeStatusInfo"] = _status_info(got.reason_code, got.info)
        return result

    def set_variables(self, request: Payload, now: Moment) -> dict[str, Any]:
        """Answer SetVariablesRequest: one result for each entry, in the same order (B05.FR.01).

        Each entry stands by itself. The same variable twice is the CSMS's mistake (B05.FR.13); both are set, in order.
        """
        entries = request["setVariableData"]
        refuse_oversize(
            self._context,
            request,
            entries,
            DeviceDataCtrlr.ItemsPerMessageSetVariables,
            DeviceDataCtrlr.BytesPerMessageSetVariables,
        )
        results = [self._set(entry) for entry in entries]
        self._follow_up(SetBy.CSMS)
        return {"setVariableResult": results}

    def _set(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        attribute = entry.get("attributeType", "Actual")  # B05.FR.12
        names = from_json(entry["component"], entry["variable"])
        change = self._context.model.set(names, entry["attributeValue"], attribute)
        if change.changed:
            self._changes.append(change)
        result = {
            "attributeStatus": change.status,
            "attributeType": attribute,  # B05.FR.03
            "component": entry["component"],  # B05.FR.02
            "variable": entry["variable"],
        }
        if change.reason_code:
            result["attributeStatusInfo"] = _status_info(change.reason_code, change.info)
        return result

    # ------------------------------------------------------------------ both

    def _operator(self, command: OperatorCommand) -> None:
        """Set one variable for an installer; the rules are the CSMS's."""
        asked = command.arguments
        names = Names(
            asked["component"],
            asked["variable"],
            asked.get("component_instance", ""),
            asked.get("variable_instance", ""),
            asked.get("evse_id") or 0,
            asked.get("connector_id") or 0,
        )
        change = self._context.model.set(names, str(asked["value"]), asked.get("attribute", "Actual"))
        self._changes += [change] if change.changed else []
        self._follow_up(SetBy.PERSON, command.who)
        done = change.status in ("Accepted", "RebootRequired")
        info = change.info or _UNKNOWN_REASON.get(change.status, "")
        if change.status == "RebootRequired":
            info = "works after the next restart"
        message = f"{names} {info}" if info else f"{names} is set"
        self._context.emit(FinishCommand(command.command_id, "Accepted" if done else "Rejected", message))

    def _follow_up(self, by: SetBy, who: str = "") -> None:
        """Store and tell what the request has changed: of a variable that was set more than once, what came of it."""
        merged: dict[tuple[Names, str], tuple[Change, SaveVariable]] = {}
        for change in self._changes:
            if change.entry is not None and change.effect is not None:
                key = change.entry.names, change.effect.attribute
                first = merged[key][0] if key in merged else change
                merged[key] = first, change.effect
        self._changes.clear()
        changed = []
        for (names, _), (first, last) in merged.items():
            effect = replace(last, by=by, who=who, old=first.effect.old if first.effect else None)
            if effect.old is not None and effect.old == effect.value:
                continue  # there and back
            self._context.emit(effect)
            new = None if first.new is None else effect.value
            self._context.raise_signal(
                VariableChanged(
                    names.component,
                    names.variable,
                    names.variable_instance,
                    names.evse_id,
                    names.connector_id,
                    first.old,
                    new,
                )
            )
            changed.append((names, new))
        self._tell_changes(who or "the CSMS", changed)

    def _tell_changes(self, who: str, changed: Iterable[tuple[Names, str | None]]) -> None:
        """One entry of the security log for all that one request has changed (A01.FR.11)."""
        security: list[str] = []
        others: list[str] = []
        for names, new in changed:
            if names.component == SecurityCtrlr.name or names.variable == NETWORK_PRIORITY:
                security.append(str(names))  # A01.FR.12: never the content
            else:
                others.append(f"{names} = {new}")
        for kind, told in (("ReconfigurationOfSecurityParameters", security), ("ConfigurationChanged", others)):
            if told:
                self._context.raise_signal(SecurityEvent(kind, _within(told, f"by {who}: ")))


def _within(told: Sequence[str], lead: str) -> str:
    """As many of ``told`` as techInfo takes, and how many there are besides."""
    text = lead
    for place, one in enumerate(told):
        added = f"{text}{'; ' if place else ''}{one}"
        if len(added) > TECH_INFO_LENGTH - 20:
            return f"{text if place else added[: TECH_INFO_LENGTH - 20]} … {len(told)} in all"
        text = added
    return text


def refuse_oversize(
    context: Context,
    request: Payload,
    entries: Sequence[Any],
    items: Variable[int],
    size: Variable[int],
) -> None:
    """Raise CallRefused where ``request`` has more ``entries``, or is longer, than the station says that it takes."""
    at_most = context.model[items]
    if len(entries) > at_most:
        raise CallRefused("OccurrenceConstraintViolation", f"at most {at_most} entries, these are {len(entries)}")
    limit = context.model[size]
    if 0 < context.call_size <= limit:
        return  # the whole frame is not longer
    length = encoded_length(request)
    if length > limit:
        raise CallRefused("FormatViolation", f"at most {limit} bytes, this has {length}")


def encoded_length(value: Any) -> int:
    """Bytes that ``value`` takes on the wire."""
    return len(encode([value]).encode("utf-8")) - len("[]")


def _status_info(reason_code: str, info: str) -> dict[str, str]:
    return {"reasonCode": reason_code, "additionalInfo": info[:ADDITIONAL_INFO_LENGTH]}
