"""What waits for the CSMS, by what rules it is sent, and what the queue could not keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Min
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from station.device_model.components import OCPPCommCtrlr
from station.domain.memory import QUEUE_LIMIT
from station.domain.moment import parse_rfc3339
from station.store.models import QueuedCall, Remembered
from webui.device_model.reading import Reading

LOSSES = "queue_losses"  # remembered by the station
LISTED = 40
METERING = ("MeterValuePeriodic", "MeterValueClock")

_LANES: Mapping[str, Any] = {
    "transactions": gettext_lazy("Sessions"),
    "events": gettext_lazy("Faults and security"),
    "notices": gettext_lazy("Statuses and meter values"),
}
_WHAT: Mapping[str, Any] = {
    "SecurityEventNotification": gettext_lazy("A security event"),
    "NotifyEvent": gettext_lazy("A fault, or the end of one"),
    "StatusNotification": gettext_lazy("A connector's status"),
    "MeterValues": gettext_lazy("Meter values outside of sessions"),
    "FirmwareStatusNotification": gettext_lazy("How a firmware update fares"),
    "LogStatusNotification": gettext_lazy("How the upload of a log fares"),
}
_EVENTS: Mapping[str, Any] = {
    "Started": gettext_lazy("The beginning of a session"),
    "Updated": gettext_lazy("News of a session"),
    "Ended": gettext_lazy("The end of a session"),
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message in the queue."""

    what: str
    action: str
    since: datetime
    attempts: int
    transaction_id: str


@dataclass(frozen=True, slots=True)
class Rules:
    """By what the queue goes, as the device model has it now. Times in seconds."""

    attempts: int
    interval: int
    timeout: int
    keeps_all: bool

    @property
    def longest(self) -> int:
        """How long a message that is refused again and again holds up its kind before it is given up."""
        return sum(self.interval * number for number in range(1, self.attempts)) + self.attempts * self.timeout


@dataclass(frozen=True, slots=True)
class Loss:
    """What was not delivered. ``why`` is the operator's system's own word."""

    count: int
    at: datetime | None
    action: str
    why: str


def lane(word: str) -> str:
    """What a lane holds."""
    return str(_LANES.get(word, word))


def what(action: str, payload: Mapping[str, Any] | None = None) -> str:
    """A message, in plain words."""
    if action == "TransactionEvent":
        told = payload or {}
        if told.get("eventType") == "Updated" and told.get("triggerReason") in METERING:
            return _("Meter values of a session")
        return str(_EVENTS.get(str(told.get("eventType")), _("News of a session")))
    return str(_WHAT.get(action, action))


def waiting() -> list[Waiting]:
    """The oldest messages of the queue, in order."""
    found = []
    for row in QueuedCall.objects.order_by("sequence")[:LISTED]:
        payload = row.payload if isinstance(row.payload, dict) else {}
        info = payload.get("transactionInfo")
        transaction_id = str(info.get("transactionId") or "") if isinstance(info, dict) else ""
        found.append(Waiting(what(row.action, payload), row.action, row.created, row.attempts, transaction_id))
    return found


def stored() -> tuple[int, datetime | None]:
    """How many messages wait, and since when the oldest does, as the database has it."""
    found = QueuedCall.objects.aggregate(count=Count("sequence"), oldest=Min("created"))
    return int(found["count"]), found["oldest"]


def rules() -> Rules:
    """The variables that the queue goes by."""
    model = Reading().model
    return Rules(
        attempts=model[OCPPCommCtrlr.MessageAttempts],
        interval=model[OCPPCommCtrlr.MessageAttemptInterval],
        timeout=model[OCPPCommCtrlr.MessageTimeout],
        keeps_all=model[OCPPCommCtrlr.QueueAllMessages],
    )


def losses() -> dict[str, Loss]:
    """``given_up`` and ``no_room``, where there is something to count."""
    row = Remembered.objects.filter(key=LOSSES).first()
    kept = row.value if row is not None and isinstance(row.value, dict) else {}
    return {name: loss for name in ("given_up", "no_room") if (loss := _loss(kept.get(name))) is not None}


def _loss(kept: Any) -> Loss | None:
    try:
        count = int(kept["count"])
        at = timezone.localtime(parse_rfc3339(str(kept["at"])))
        return Loss(count, at, str(kept["action"]), str(kept["why"])) if count > 0 else None
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def room(count: int) -> int:
    """For how many more messages there is space."""
    return max(0, QUEUE_LIMIT - count)
