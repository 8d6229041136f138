"""B07 and B08: reporting what the station is and how it is set."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from station.device_model.components import EVSE, Connector, DeviceDataCtrlr
from station.device_model.definition import READ_ONLY, Mutability
from station.device_model.model import DeviceModel, Entry
from station.domain.events import LinkDown
from station.domain.moment import Moment, rfc3339
from station.ocpp.block import Block, Payload
from station.ocpp.blocks.b_provisioning.variables import encoded_length, refuse_oversize
from station.ocpp.context import Context

REPORTS_AT_ONCE = 4  # further ones are refused until one is done
MESSAGE_ID = "00000000-0000-0000-0000-000000000000"
LARGEST_SEQ_NO = 9999

AVAILABILITY = "AvailabilityState"
ABNORMAL = ("Problem", "Tripped", "Overload", "Fallback")  # B07.FR.09: true where something is wrong
PRESUMED_TRUE = ("Active", "Available", "Enabled")  # B08.FR.07 to .09: true where the component does not say
PROBLEM = "Problem"

Selection = Callable[[Entry], bool]


@dataclass(slots=True)
class Report:
    """One report on its way: the parts not yet sent, all taken at the same moment."""

    request_id: int
    generated_at: str
    parts: deque[list[dict[str, Any]]]
    seq_no: int = 0


class Reports(Block):
    """Answers the request and then sends the report, part after part; the next one when the last was answered."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._reports: deque[Report] = deque()  # the first one is being sent
        self.actions = {"GetBaseReport": self.get_base_report, "GetReport": self.get_report}

    def on(self, event: object, now: Moment) -> None:
        if isinstance(event, LinkDown) and not self._context.outbox.keeps_all:
            self._reports.clear()  # the CSMS asks again

    def get_base_report(self, request: Payload, now: Moment) -> dict[str, Any]:
        """Answer GetBaseReportRequest."""
        model = self._context.model
        selections: dict[str, Selection] = {
            "ConfigurationInventory": _settable,  # B07.FR.07
            "FullInventory": lambda entry: True,  # B07.FR.08
        }
        if model[DeviceDataCtrlr.SummaryInventoryEnabled]:
            selections["SummaryInventory"] = lambda entry: _noteworthy(entry, model)  # B07.FR.09
        selection = selections.get(request["reportBase"])
        if selection is None:
            return {"status": "NotSupported", "statusInfo": {"reasonCode": "UnsupportedParam"}}  # B07.FR.02
        return self._report(request["requestId"], selection, now)

    def get_report(self, request: Payload, now: Moment) -> dict[str, Any]:
        """Answer GetReportRequest."""
        wanted = request.get("componentVariable")
        refuse_oversize(
            self._context,
            request,
            wanted or (),
            DeviceDataCtrlr.ItemsPerMessageGetReport,  # B08.FR.17
            DeviceDataCtrlr.BytesPerMessageGetReport,  # B08.FR.18
        )
        criteria = request.get("componentCriteria") or ()
        if any(criterion not in (*PRESUMED_TRUE, PROBLEM) for criterion in criteria):
            return {"status": "NotSupported", "statusInfo": {"reasonCode": "UnsupportedParam"}}  # B08.FR.02
        components = _Criteria(self._context.model, criteria)
        filters = [_Filter(item) for item in wanted or ()]

        def selected(entry: Entry) -> bool:  # B08.FR.05: both, where both are given
            return components.match(entry) and (not filters or any(item.matches(entry) for item in filters))

        return self._report(request["requestId"], selected, now)

    # ------------------------------------------------------------------ sending

    def _report(self, request_id: int, selection: Selection, now: Moment) -> dict[str, Any]:
        if len(self._reports) >= REPORTS_AT_ONCE:  # B07.FR.13, B08.FR.16
            info = f"{REPORTS_AT_ONCE} reports are still being sent"
            return {"status": "Rejected", "statusInfo": {"reasonCode": "OutOfMemory", "additionalInfo": info}}
        model = self._context.model
        data = [report_data(entry) for entry in model.entries() if selection(entry)]
        if not data:
            return {"status": "EmptyResultSet", "statusInfo": {"reasonCode": "NotFound"}}  # B08.FR.15
        parts = split(
            data,
            request_id,
            items=model[DeviceDataCtrlr.ItemsPerMessageGetReport],
            size=model[DeviceDataCtrlr.BytesPerMessageGetReport],
        )
        self._reports.append(Report(request_id, rfc3339(self._context.clock.utc(now)), deque(parts)))
        if len(self._reports) == 1:
            self._send_next(now)
        return {"status": "Accepted"}  # B07.FR.01, B08.FR.01

    def _send_next(self, now: Moment) -> None:
        if not self._reports:
            return
        report = self._reports[0]
        part = report.parts.popleft()
        payload = notify_report(
            report.request_id, report.generated_at, report.seq_no, part, more=bool(report.parts)
        )  # B07.FR.03, B08.FR.03
        report.seq_no += 1
        self._context.call(
            "NotifyReport",
            payload,
            answered=lambda response, at: self._sent(report, at),
            # What a CSMS cannot process is not sent again; it still gets the rest.
            failed=lambda code, at: self._sent(report, at) if code != "LinkDown" else None,
            requested=True,
        )

    def _sent(self, report: Report, now: Moment) -> None:
        if not self._reports or self._reports[0] is not report:
            return  # given up meanwhile
        if not report.parts:
            self._reports.popleft()
        self._send_next(now)


# ------------------------------------------------------------------ what is in a report


def report_data(entry: Entry) -> dict[str, Any]:
    """The ReportDataType of one variable: every attribute (B07.FR.11) and all characteristics (B08.FR.12)."""
    names, variable, limits = entry.names, entry.variable, entry.limits
    component: dict[str, Any] = {"name": names.component}
    if names.component_instance:
        component["instance"] = names.component_instance
    if names.evse_id:
        component["evse"] = {"id": names.evse_id}
        if names.connector_id:
            component["evse"]["connectorId"] = names.connector_id
    attributes = []
    for attribute, mutability in entry.attributes.items():
        data: dict[str, Any] = {"type": attribute.value}
        if mutability is not Mutability.WRITE_ONLY:  # errata 2.10: the value of a WriteOnly variable is left out
            data["value"] = entry.text(attribute)
        data["mutability"] = mutability.value
        data["persistent"] = variable.persistent
        data["constant"] = variable.constant
        attributes.append(data)
    characteristics: dict[str, Any] = {"dataType": variable.data_type.value}
    if variable.unit:
        characteristics["unit"] = variable.unit
    if limits.minimum is not None:
        characteristics["minLimit"] = limits.minimum
    if limits.maximum is not None:
        characteristics["maxLimit"] = limits.maximum
    if limits.values:
        characteristics["valuesList"] = ",".join(limits.values)
    characteristics["supportsMonitoring"] = variable.supports_monitoring
    return {
        "component": component,
        "variable": {"name": names.variable, **({"instance": names.variable_instance} if variable.instance else {})},
        "variableAttribute": attributes,
        "variableCharacteristics": characteristics,
    }


def notify_report(
    request_id: int, generated_at: str, seq_no: int, part: list[dict[str, Any]], *, more: bool
) -> dict[str, Any]:
    """One NotifyReportRequest."""
    return {"requestId": request_id, "generatedAt": generated_at, "tbc": more, "seqNo": seq_no, "reportData": part}


def split(data: Iterable[dict[str, Any]], request_id: int, *, items: int, size: int) -> Iterator[list[dict[str, Any]]]:
    """Cut ``data`` into parts of at most ``items`` entries whose whole CALL takes at most ``size`` bytes.

    An entry that is too long by itself gets a message of its own.
    """
    empty = notify_report(request_id, "0000-00-00T00:00:00.000Z", LARGEST_SEQ_NO, [], more=False)
    frame = encoded_length([2, MESSAGE_ID, "NotifyReport", empty])
    part: list[dict[str, Any]] = []
    length = frame
    for entry in data:
        entry_length = encoded_length(entry) + 1  # and its comma
        if part and (len(part) >= items or length + entry_length - 1 > size):
            yield part
            part, length = [], frame
        part.append(entry)
        length += entry_length
    if part:
        yield part


# ------------------------------------------------------------------ what is selected


def _settable(entry: Entry) -> bool:
    return any(mutability is not READ_ONLY for mutability in entry.attributes.values())


def _noteworthy(entry: Entry, model: DeviceModel) -> bool:
    if entry.variable is Connector.AvailabilityState:  # only where it is not its EVSE's
        return entry.text() != model.raw(EVSE.AvailabilityState.at(entry.names.evse_id))
    if entry.variable.name == AVAILABILITY:
        return True
    return entry.variable.name in ABNORMAL and entry.text() == "true"


class _Criteria:
    """ComponentCriteria: a component matches where at least one of them holds for it (B08.FR.13)."""

    def __init__(self, model: DeviceModel, criteria: Iterable[str]) -> None:
        self._criteria = tuple(criteria)
        self._said: dict[tuple[object, ...], str] = {
            (*_place(entry), entry.names.variable): entry.text()
            for entry in (model.entries() if self._criteria else ())
            if entry.variable.name in (*PRESUMED_TRUE, PROBLEM) and not entry.variable.instance
        }

    def match(self, entry: Entry) -> bool:
        if not self._criteria:
            return True
        return any(
            # B08.FR.07 to .09, and B08.FR.10, where silence means no
            self._said.get((*_place(entry), criterion), "false" if criterion == PROBLEM else "true") == "true"
            for criterion in self._criteria
        )


def _place(entry: Entry) -> tuple[object, ...]:
    return entry.names.component, entry.names.component_instance, entry.names.evse_id, entry.names.connector_id


class _Filter:
    """One ComponentVariableType; what it leaves out may be anything (B08.FR.20 to .25)."""

    def __init__(self, wanted: Mapping[str, Any]) -> None:
        component, variable, evse = wanted["component"], wanted.get("variable", {}), wanted["component"].get("evse", {})
        self._names = (
            component["name"].casefold(),
            component.get("instance", "").casefold(),
            variable.get("name", "").casefold(),
            variable.get("instance", "").casefold(),
        )
        self._numbers: tuple[int | None, int | None] = (evse.get("id"), evse.get("connectorId"))

    def matches(self, entry: Entry) -> bool:
        names = entry.names
        has = (names.component, names.component_instance, names.variable, names.variable_instance)
        if any(wanted and wanted != own.casefold() for wanted, own in zip(self._names, has, strict=True)):
            return False
        return all(
            wanted is None or wanted == own
            for wanted, own in zip(self._numbers, (names.evse_id, names.connector_id), strict=True)
        )
