"""The transactions as a CSMS understands them: from the TransactionEvents alone, pure.

What a station sends twice counts once; what it left out shows as a gap. Energy is in Wh.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple, TypeAlias

Payload: TypeAlias = Mapping[str, Any]

REGISTER = "Energy.Active.Import.Register"
MOST_GAPS = 100  # a seqNo of a billion must not fill the memory


class Reading(NamedTuple):
    """One reading of the energy register. ``at`` is an RFC 3339 text, ``value`` in Wh."""

    at: str
    context: str
    value: float


def register_readings(event: Payload) -> Iterator[Reading]:
    """Every energy-register reading of the whole EVSE in one event."""
    for meter_value in event.get("meterValue", ()):
        for sample in meter_value["sampledValue"]:
            if sample.get("measurand", REGISTER) != REGISTER or sample.get("phase") is not None:
                continue
            unit = sample.get("unitOfMeasure", {})
            power = unit.get("multiplier", 0) + (3 if unit.get("unit", "Wh") == "kWh" else 0)
            value = sample["value"] * 10.0**power if -12 <= power <= 12 else math.nan
            if math.isfinite(value):
                yield Reading(meter_value["timestamp"], sample.get("context", "Sample.Periodic"), value)


def content(event: Payload) -> dict[str, Any]:
    """What makes two events the same: all but ``offline``, which a station may set when it sends one again."""
    return {key: value for key, value in event.items() if key != "offline"}


@dataclass(slots=True)
class Account:
    """One transaction. ``events`` are by seqNo; ``conflicts`` are seqNos seen again with another content."""

    station: str
    transaction_id: str
    events: dict[int, Payload] = field(default_factory=dict)
    duplicates: int = 0
    conflicts: list[int] = field(default_factory=list)
    arrivals: list[int] = field(default_factory=list)  # seqNo in the order of first arrival

    def knows(self, event: Payload) -> bool:
        """True where its seqNo has come before, whatever it said."""
        return int(event["seqNo"]) in self.events

    def take(self, event: Payload) -> bool:
        """Enter an event; True where it is new."""
        number = int(event["seqNo"])
        known = self.events.get(number)
        if known is None:
            self.events[number] = event
            self.arrivals.append(number)
            return True
        if content(known) == content(event):
            self.duplicates += 1
        else:
            self.conflicts.append(number)
        return False

    # ------------------------------------------------------------------ what the events say

    @property
    def in_order(self) -> list[Payload]:
        """The events by seqNo."""
        return [self.events[number] for number in sorted(self.events)]

    @property
    def gaps(self) -> list[int]:
        """Missing seqNos below the highest that came, the first hundred of them."""
        missing = (number for number in range(max(self.events, default=0)) if number not in self.events)
        return list(islice(missing, MOST_GAPS))

    @property
    def ended(self) -> bool:
        return any(event["eventType"] == "Ended" for event in self.events.values())

    @property
    def complete(self) -> bool:
        """Started first, Ended last, each once, nothing missing, nothing contradictory."""
        kinds = [event["eventType"] for event in self.in_order]
        return (
            len(kinds) > 1
            and not self.gaps
            and not self.conflicts
            and kinds[0] == "Started"
            and kinds[-1] == "Ended"
            and set(kinds[1:-1]) <= {"Updated"}
        )

    @property
    def evse_id(self) -> int | None:
        return next((event["evse"]["id"] for event in self.in_order if "evse" in event), None)

    @property
    def id_token(self) -> str | None:
        """The first token that was told; the one who charges."""
        return next((event["idToken"]["idToken"] for event in self.in_order if "idToken" in event), None)

    @property
    def started_at(self) -> str | None:
        return next((event["timestamp"] for event in self.in_order if event["eventType"] == "Started"), None)

    @property
    def ended_at(self) -> str | None:
        return next((event["timestamp"] for event in self.in_order if event["eventType"] == "Ended"), None)

    @property
    def stopped_reason(self) -> str | None:
        """stoppedReason as sent; one that is left out in the Ended event means Local (TransactionType)."""
        for event in self.in_order:
            if event["eventType"] == "Ended":
                reason: str = event["transactionInfo"].get("stoppedReason", "Local")
                return reason
        return None

    @property
    def charging_state(self) -> str | None:
        """The last that was told."""
        states = [event["transactionInfo"].get("chargingState") for event in self.in_order]
        return next((state for state in reversed(states) if state), None)

    @property
    def remote_start_id(self) -> int | None:
        ids = (event["transactionInfo"].get("remoteStartId") for event in self.in_order)
        return next((number for number in ids if number is not None), None)

    @property
    def offline(self) -> list[int]:
        """seqNos of the events that happened while the station had no link."""
        return [number for number in sorted(self.events) if self.events[number].get("offline", False)]

    def register(self) -> list[float]:
        """Every reading of the energy register in Wh, in order of its time (an Ended event repeats the first one)."""
        readings = [reading for event in self.in_order for reading in register_readings(event)]
        return [reading.value for reading in sorted(readings, key=lambda reading: reading.at)]

    @property
    def meter_start(self) -> float | None:
        """Register at Transaction.Begin, or the first reading where the station sends none."""
        return self._reading("Transaction.Begin", 0)

    @property
    def meter_stop(self) -> float | None:
        """Register at Transaction.End, or the last reading of a transaction that goes on or sends none."""
        return self._reading("Transaction.End", -1)

    @property
    def energy(self) -> float | None:
        """Wh from the first to the last reading of the register."""
        start, stop = self.meter_start, self.meter_stop
        return None if start is None or stop is None else stop - start

    def _reading(self, context: str, otherwise: int) -> float | None:
        readings = [reading for event in self.in_order for reading in register_readings(event)]
        if not readings:
            return None
        return next((reading.value for reading in readings if reading.context == context), readings[otherwise].value)

    def summary(self) -> dict[str, Any]:
        """All of the above, ready for JSON."""
        return {
            "station": self.station,
            "transactionId": self.transaction_id,
            "evseId": self.evse_id,
            "idToken": self.id_token,
            "startedAt": self.started_at,
            "endedAt": self.ended_at,
            "meterStart": self.meter_start,
            "meterStop": self.meter_stop,
            "energy": self.energy,
            "stoppedReason": self.stopped_reason,
            "chargingState": self.charging_state,
            "remoteStartId": self.remote_start_id,
            "offline": self.offline,
            "events": len(self.events),
            "duplicates": self.duplicates,
            "gaps": self.gaps,
            "conflicts": self.conflicts,
            "complete": self.complete,
        }


class Ledger:
    """All accounts, oldest first. Beyond ``keep`` the oldest that has ended is forgotten (else simply the oldest)."""

    def __init__(self, keep: int = 500) -> None:
        self.keep = keep
        self._accounts: dict[tuple[str, str], Account] = {}

    def take(self, station: str, event: Payload) -> bool:
        """Enter a TransactionEvent (valid against the schema); True where it is new."""
        transaction_id = event["transactionInfo"]["transactionId"]
        account = self._accounts.get((station, transaction_id))
        if account is None:
            account = self._accounts[station, transaction_id] = Account(station, transaction_id)
            self._forget()
        return account.take(event)

    def get(self, transaction_id: str, station: str | None = None) -> Account | None:
        """The account of that id, of that station or whatever one it came from (ids are UUIDs: E01.FR.08)."""
        if station is not None:
            return self._accounts.get((station, transaction_id))
        return next((account for (_, name), account in self._accounts.items() if name == transaction_id), None)

    def accounts(self) -> list[Account]:
        return list(self._accounts.values())

    def __len__(self) -> int:
        return len(self._accounts)

    def _forget(self) -> None:
        if len(self._accounts) > self.keep:
            oldest = next((key for key, account in self._accounts.items() if account.ended), next(iter(self._accounts)))
            del self._accounts[oldest]
