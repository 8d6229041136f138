"""What goes in and out of the API, as the OpenAPI document tells it. Field names are a promise."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import BeforeValidator, ConfigDict, Field, field_validator

EvseId = Annotated[int, Field(ge=1, le=999, description="number of the EVSE, from 1")]


_RFC3339 = re.compile(r"\A\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)?\Z", re.ASCII)


def _moment(value: Any) -> Any:
    """Only what is written as a time: pydantic would take any number for one."""
    if isinstance(value, str) and not _RFC3339.match(value):
        raise ValueError("a time as in 2026-05-01T12:00:00Z")
    return value


Moment = Annotated[datetime, BeforeValidator(_moment)]


class Strict(Schema):
    """A request's body: a field that nobody knows is a mistake, not a wish that is dropped."""

    model_config = ConfigDict(extra="forbid")


class Limit(Schema):
    current: float | None = Field(description="A per phase that hold now, the least of the two; 0 pauses; null: none")
    standing: float | None = Field(description="A per phase, set for good")
    timed: float | None = Field(description="A per phase, set for a while")
    until: datetime | None = Field(description="when the timed one lapses unless it is repeated")


class RunningSession(Schema):
    id: str
    started_at: datetime | None
    energy: float = Field(description="Wh so far")
    who: str = Field(description="kind of identification and its last characters, in words")


class Evse(Schema):
    id: int
    state: str = Field(
        description="free, waiting_for_card, waiting_for_plug, authorizing, preparing, charging, suspended_ev, "
        "suspended_evse, finishing, unavailable, faulted or no_board; more may come"
    )
    status: str = Field(description="OCPP ConnectorStatusEnumType: Available, Occupied, Reserved, Unavailable, Faulted")
    plugged: bool = Field(description="a car is connected")
    charging: bool = Field(description="energy flows, or may at any moment")
    why_not_charging: str | None = Field(description="in words, while a car is plugged in and does not charge")
    reason: str = Field(description="the same as a stable word: waiting_for_card, car_pauses, paused …; more may come")
    power: float = Field(description="W")
    current: list[float] = Field(description="A on L1, L2, L3")
    voltage: list[float] = Field(description="V on L1, L2, L3")
    current_offered: float = Field(description="A per phase that the car may take now")
    current_max: float = Field(description="A per phase, the rating")
    meter: float = Field(description="Wh, the meter's import register; never goes back")
    soc: float | None = Field(description="%, where the car tells it")
    temperature: float | None = Field(description="°C in the EVSE")
    limit: Limit
    session: RunningSession | None
    faults: list[str] = Field(description="GroundFailure, OverCurrent …")
    warnings: list[str]


class Status(Schema):
    at: datetime = Field(description="the station's clock")
    identity: str = Field(description="the station's name at the operator's system (CSMS)")
    firmware: str
    connected: bool = Field(description="to the CSMS")
    registration: str | None = Field(description="Accepted, Pending, Rejected; null before the first answer")
    security_profile: int = Field(description="0 while there is no connection")
    queue: int = Field(description="messages that wait for the CSMS")
    board_online: bool
    board_error: str
    door_open: bool
    evses: list[Evse]


class Health(Schema):
    status: Literal["ok", "unavailable"]
    processes: dict[str, Any] = Field(description="as /healthz says it")


class Session(Schema):
    id: str
    evse: int | None
    started_at: datetime
    ended_at: datetime | None
    running: bool
    energy: float = Field(description="Wh")
    meter_start: float | None = Field(description="Wh")
    meter_stop: float | None = Field(description="Wh")
    who: str = Field(description="kind of identification and its last characters, in words")
    authorized_by: str
    stopped_reason: str | None = Field(description="OCPP ReasonEnumType")
    meter_suspect: bool = Field(description="a reading was implausible and not used")


class SessionFilter(Schema):
    since: Moment | None = Field(None, description="that began then or later; without a zone, UTC is meant")
    until: Moment | None = Field(None, description="that began before")
    evse: int | None = Field(None, ge=1, le=999, description="at this EVSE")
    running: bool | None = Field(None, description="only running ones, or only ended ones")
    reason: Annotated[str, Field(pattern=r"^[A-Za-z]{1,20}$")] | None = Field(
        None, description="that ended so: an OCPP ReasonEnumType"
    )
    limit: int = Field(50, ge=1, le=200, description="how many at most")
    cursor: str | None = Field(None, max_length=200, description="`next` of the page before")


class SessionPage(Schema):
    items: list[Session] = Field(description="newest first")
    next: str | None = Field(description="what to give as `cursor` for the ones before; null: there are none")


class Point(Schema):
    at: datetime
    power: float = Field(description="W")
    current: float = Field(description="A, the highest phase")
    energy: float = Field(description="Wh, the register")
    soc: float | None


class SessionWithPoints(Session):
    points: list[Point] = Field(description="evenly left out where there are more than asked for")


class CommandOut(Schema):
    id: int
    action: str
    evse: int | None
    status: Literal["Filed", "Accepted", "Rejected"]
    message: str = Field(description="what came of it, in words; empty while it is open")
    who: str
    filed_at: datetime
    finished_at: datetime | None


class LimitIn(Strict):
    current: Annotated[float, Field(strict=True, ge=0, le=80, allow_inf_nan=False)] = Field(
        description="A per phase: 0 pauses, otherwise at least 6"
    )
    valid_for: Annotated[int, Field(strict=True, ge=10, le=3600)] | None = Field(
        default=None,
        description="s after which it lapses unless it is set again; without it the limit holds for good",
    )

    @field_validator("current")
    @classmethod
    def _can_be_offered(cls, value: float) -> float:
        if 0 < value < 6:
            raise ValueError("0 pauses; otherwise at least 6 A, because a car cannot be offered less")
        return value


class AvailabilityIn(Strict):
    operative: Annotated[bool, Field(strict=True)] = Field(description="false takes it out of service")


class ProblemOut(Schema):
    type: str = Field(description="a reference that tells the kind of problem")
    title: str
    status: int
    detail: str | None = Field(default=None, description="what happened and what to do")
    errors: list[dict[str, Any]] | None = Field(default=None, description="of `invalid`: where, and why")
    command: int | None = Field(default=None, description="of `refused`: the command's id")
