"""What must hold of every trace, whatever happened: the rules of block E on a transaction's events."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from station.domain.moment import parse_rfc3339

if TYPE_CHECKING:
    from tests.support.memory_rig import MemoryRig

REGISTER = "Energy.Active.Import.Register"


def content(event: dict[str, Any]) -> dict[str, Any]:
    """The event as it was meant: a retransmission may differ in ``offline`` only."""
    return {key: value for key, value in event.items() if key != "offline"}


def registers(event: dict[str, Any]) -> list[float]:
    """The energy registers of an event, in its order."""
    return [
        sampled["value"]
        for meter in event.get("meterValue", [])
        for sampled in meter["sampledValue"]
        if sampled["measurand"] == REGISTER and "phase" not in sampled
    ]


@dataclass
class Told:
    """One transaction as the CSMS has heard of it."""

    transaction_id: str
    events: list[dict[str, Any]] = field(default_factory=list)
    evse_id: int | None = None
    token: dict[str, Any] | None = None
    remote_start_ids: list[int] = field(default_factory=list)
    register: float = 0.0
    at: str = ""

    @property
    def ended(self) -> bool:
        return bool(self.events) and self.events[-1]["eventType"] == "Ended"


@dataclass
class Accounts:
    """What TransactionEvents say, one after the other; raises AssertionError at the first broken rule.

    ``clock_moves`` True: the CSMS changes the time, so that timestamps may go back.
    """

    clock_moves: bool = False
    told: dict[str, Told] = field(default_factory=dict)

    def take(self, event: dict[str, Any]) -> None:
        """One TransactionEventRequest, new or sent again."""
        info, number = event["transactionInfo"], event["seqNo"]
        told = self.told.setdefault(info["transactionId"], Told(info["transactionId"]))
        if number < len(told.events):
            assert content(event) == content(told.events[number]), "a retransmission says something else"
            return
        assert number == len(told.events), f"seqNo {number} after {len(told.events) - 1}"
        assert not told.ended, "an event after Ended"
        assert (event["eventType"] == "Started") == (number == 0), "Started first, and only once"
        assert "chargingState" in info
        assert ("stoppedReason" in info) == (event["eventType"] == "Ended")
        self._evse(told, event)
        self._once(told, event)
        self._meter(told, event)
        if not self.clock_moves and told.at:
            assert parse_rfc3339(event["timestamp"]) >= parse_rfc3339(told.at), "time goes back"
        told.at = event["timestamp"]
        told.events.append(event)

    def _evse(self, told: Told, event: dict[str, Any]) -> None:
        if "evse" not in event:
            return
        evse_id = event["evse"]["id"]
        assert told.evse_id in (None, evse_id), "the EVSE changes"
        told.evse_id = evse_id
        others = [one for one in self.told.values() if one is not told and one.evse_id == evse_id]
        assert all(one.ended for one in others), "two transactions on one EVSE"
        assert sum("evse" in one for one in told.events) <= 1, "evse at the start and with the cable, not more often"

    def _once(self, told: Told, event: dict[str, Any]) -> None:
        token = event.get("idToken")
        if token and event["triggerReason"] != "StopAuthorized":
            anew = event["triggerReason"] in ("Authorized", "RemoteStart")
            assert token != told.token or anew, "the idToken is told twice for one authorization"
            told.token = token
        remote = event["transactionInfo"].get("remoteStartId")
        if remote is not None:
            assert remote not in told.remote_start_ids, "remoteStartId is told twice"
            told.remote_start_ids.append(remote)

    def _meter(self, told: Told, event: dict[str, Any]) -> None:
        values = registers(event)
        assert values == sorted(values), "the register goes back within an event"
        if values:
            assert values[-1] >= told.register, "the register goes back"
            told.register = values[-1]


@dataclass
class Ledger:
    """The accounts of a rig's trace, which is read once."""

    rig: MemoryRig
    clock_moves: bool = False
    accounts: Accounts = field(init=False)
    read: int = 0

    def __post_init__(self) -> None:
        self.accounts = Accounts(self.clock_moves)

    def check(self) -> dict[str, Told]:
        """Take in what is new; returns all transactions by their id."""
        for direction, frame in self.rig.trace[self.read :]:
            if direction == ">" and frame[0] == 2 and frame[2] == "TransactionEvent":
                self.accounts.take(frame[3])
        self.read = len(self.rig.trace)
        return self.accounts.told


def check(rig: MemoryRig, *, clock_moves: bool = False) -> list[Told]:
    """All transactions of the rig's trace, in their order, after every rule was checked."""
    return list(Ledger(rig, clock_moves).check().values())
