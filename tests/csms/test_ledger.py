"""The ledger: what a CSMS can say of a transaction from its events alone."""

from __future__ import annotations

from typing import Any

import pytest

from station.csms.ledger import Account, Ledger


def reading(value: float, context: str = "Sample.Periodic", **more: Any) -> dict[str, Any]:
    sample = {"value": value, "context": context, **more}
    return {"timestamp": "2030-01-01T00:00:00.000Z", "sampledValue": [sample]}


def event(kind: str, number: int, *readings: dict[str, Any], **more: Any) -> dict[str, Any]:
    info = {"transactionId": more.pop("transaction", "T1"), **more.pop("info", {})}
    return {
        "eventType": kind,
        "timestamp": f"2030-01-01T00:00:{number:02}.000Z",
        "triggerReason": "Authorized",
        "seqNo": number,
        "transactionInfo": info,
        **({"meterValue": list(readings)} if readings else {}),
        **more,
    }


def entered(*events: dict[str, Any]) -> Account:
    ledger = Ledger()
    for item in events:
        ledger.take("CP1", item)
    account = ledger.get("T1")
    assert account is not None
    return account


def session() -> list[dict[str, Any]]:
    return [
        event("Started", 0, reading(1000.0, "Transaction.Begin"), evse={"id": 2, "connectorId": 1}),
        event("Updated", 1, idToken={"idToken": "CAFE", "type": "ISO14443"}, info={"chargingState": "Charging"}),
        event("Updated", 2, reading(1100.5)),
        event(
            "Ended", 3, reading(1100.5), reading(1234.5, "Transaction.End"), info={"stoppedReason": "EVDisconnected"}
        ),
    ]


def test_a_whole_transaction_is_complete_and_its_energy_is_end_minus_begin() -> None:
    account = entered(*session())
    assert account.complete
    assert account.summary() | {"station": ""} == {
        "station": "",
        "transactionId": "T1",
        "evseId": 2,
        "idToken": "CAFE",
        "startedAt": "2030-01-01T00:00:00.000Z",
        "endedAt": "2030-01-01T00:00:03.000Z",
        "meterStart": 1000.0,
        "meterStop": 1234.5,
        "energy": 234.5,
        "stoppedReason": "EVDisconnected",
        "chargingState": "Charging",
        "remoteStartId": None,
        "offline": [],
        "events": 4,
        "duplicates": 0,
        "gaps": [],
        "conflicts": [],
        "complete": True,
    }


def test_an_event_sent_again_counts_once_even_if_it_is_marked_offline_by_then() -> None:
    first, *rest = session()
    account = entered(first, *rest, {**rest[0], "offline": True}, first)
    assert account.complete
    assert account.duplicates == 2
    assert account.offline == []


def test_the_same_number_with_another_content_is_a_conflict() -> None:
    events = session()
    account = entered(*events, {**events[2], "triggerReason": "MeterValuePeriodic"})
    assert account.conflicts == [2]
    assert not account.complete


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_missing_event_is_a_gap(missing: int) -> None:
    events = session()
    del events[missing]
    account = entered(*events)
    assert account.gaps == [missing]
    assert not account.complete


def test_events_may_come_in_any_order_and_the_order_is_on_record() -> None:
    started, updated, sampled, ended = session()
    account = entered(ended, sampled, started, updated)
    assert account.complete
    assert account.energy == 234.5
    assert account.arrivals == [3, 2, 0, 1]


def test_a_transaction_that_starts_twice_or_goes_on_after_its_end_is_not_complete() -> None:
    assert not entered(*session(), event("Updated", 4)).complete
    assert not entered(event("Started", 0), event("Started", 1), event("Ended", 2)).complete


def test_units_and_multipliers_lead_to_watt_hours_and_phases_do_not_count() -> None:
    account = entered(
        event("Started", 0, reading(1.5, "Transaction.Begin", unitOfMeasure={"unit": "kWh"})),
        event("Updated", 1, reading(99.0, phase="L1"), reading(7000.0, measurand="Power.Active.Import")),
        event("Ended", 2, reading(25, "Transaction.End", unitOfMeasure={"multiplier": 2})),
    )
    assert account.register() == [1500.0, 2500.0]
    assert account.energy == 1000.0


def test_without_begin_and_end_the_first_and_last_reading_count() -> None:
    assert entered(event("Started", 0), event("Updated", 1, reading(5)), event("Updated", 2, reading(9))).energy == 4
    assert entered(event("Started", 0)).energy is None


@pytest.mark.parametrize("multiplier", [400, -400])
def test_an_absurd_multiplier_is_no_reading(multiplier: int) -> None:
    account = entered(event("Started", 0, reading(1.0, unitOfMeasure={"multiplier": multiplier})))
    assert account.energy is None


def test_an_absurd_sequence_number_costs_no_memory() -> None:
    assert len(entered(event("Ended", 10**12)).gaps) == 100


def test_the_reason_may_be_left_out_only_for_local() -> None:
    assert entered(event("Ended", 0)).stopped_reason == "Local"
    assert entered(event("Updated", 0)).stopped_reason is None


def test_the_oldest_ended_transaction_is_forgotten_first() -> None:
    ledger = Ledger(keep=2)
    ledger.take("CP1", event("Started", 0, transaction="running"))
    ledger.take("CP1", event("Ended", 0, transaction="ended"))
    ledger.take("CP1", event("Started", 0, transaction="new"))
    assert [account.transaction_id for account in ledger.accounts()] == ["running", "new"]


def test_two_stations_with_the_same_id_do_not_mix() -> None:
    ledger = Ledger()
    ledger.take("CP1", event("Started", 0))
    ledger.take("CP2", event("Ended", 1))
    assert [account.gaps for account in ledger.accounts()] == [[], [0]]
