"""The live view's pieces: what they say, which buttons they offer, and that hostile strings stay strings."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from station.live.payloads import EvseLive, ReasonLive, StationLive
from station.store.models import Variable
from tests.webui.looking import Looking, look
from tests.webui.making import CARD, NOON, TRANSACTION, charging, free, station, waiting
from webui.cards.models import Card
from webui.dashboard import fragments, known
from webui.owner.models import Settings
from webui.tariff.models import Tariff


def whole(live: StationLive, *, technical: bool = True) -> Looking:
    """Everything that a browser gets first: an installer's, unless told otherwise."""
    found = fragments.pieces(live, fragments.reader(technical))
    return look(found["station-status"] + found["station-clock"] + fragments.cards(live, found))


def buttons(evse: EvseLive) -> set[str]:
    """What the card offers to do."""
    html = fragments.evse_fragments(evse, "")[f"evse-{evse.evse_id}-actions"]
    return {action for action in ("start", "stop", "unlock") if f"/evse/{evse.evse_id}/{action}/" in html}


def test_charging_card() -> None:
    words = whole(station(charging(1))).words
    for said in ("7.31 kW", "3.011 kWh", "25 min", "Card •• E6F7", "42 %", "31.8 A · 230 V", "offered 32.0 A"):
        assert said in words
    assert "Energy is flowing into the car." in words
    assert "at most 7.37 kW" in words


def test_phases_without_voltage_are_not_shown() -> None:
    words = whole(station(charging(1, voltage=(230.0, 231.0, 0.0), current=(10.0, 9.5, 0.0)))).words
    assert "L2 9.5 A" in words
    assert "L3" not in words


@pytest.mark.parametrize(
    ("evse", "offered"),
    [
        (free(), set()),
        (waiting(), {"start", "unlock"}),
        (waiting(transaction_id=TRANSACTION), {"start", "unlock"}),  # TxStartPoint EVConnected: nobody authorised yet
        (waiting(activity="authorizing"), set()),
        (free(activity="waiting_for_plug", transaction_id=TRANSACTION), {"stop"}),
        (charging(), {"stop"}),
        (charging(activity="suspended_ev"), {"stop"}),
        (charging(activity="faulted"), {"stop", "unlock"}),
        (charging(activity="finishing"), set()),  # the contactor is opening
        (waiting(activity="finishing"), {"start", "unlock"}),
        (waiting(activity="unavailable"), {"unlock"}),
        (waiting(activity="no_board"), set()),
    ],
)
def test_only_what_makes_sense_is_offered(evse: EvseLive, offered: set[str]) -> None:
    assert buttons(evse) == offered


def test_stop_and_unlock_ask_first() -> None:
    for evse in (charging(), waiting()):
        html = fragments.evse_fragments(evse, "")["evse-1-actions"]
        assert '<form class="confirm-box"' in html.split("<details")[1]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"connected": False, "registration": None}, "No connection to the operator"),
        ({"registration": None}, "Operator connected, has yet to answer"),
        ({"registration": "Pending"}, "has yet to accept"),
        ({"board_online": False, "board_error": "no answer from unit 1"}, "does not answer (no answer from unit 1)"),
        ({"queue_length": 1}, "1 message waiting"),
        ({"queue_length": 12}, "12 messages waiting"),
        ({"queue_length": 40}, "40 messages wait for the operator's system and are kept until they can be sent. Queue"),
        ({"door_open": True}, "The housing is open"),
    ],
)
def test_strip_of_conditions(changes: dict[str, Any], said: str) -> None:
    assert said in whole(station(**changes)).words


def test_an_owner_sees_no_technical_detail() -> None:
    live = station(connected=False, link_note="HTTP 401", board_online=False, board_error="no answer from unit 1")
    for_owner, for_installer = whole(live, technical=False).words, whole(live).words
    for detail in ("HTTP 401", "no answer from unit 1", "CP-1"):
        assert detail not in for_owner
        assert detail in for_installer
    assert "The board does not answer" in for_owner


def test_the_reason_is_the_sentence_and_is_not_said_twice() -> None:
    refused = waiting(reason=ReasonLive("refused", status="Blocked"), message="Blocked")
    page = whole(station(refused))
    assert "Card refused" in page.words
    assert page.words.count("The card is blocked.") == 1
    assert "Hold another card to the reader, or ask the operator." in page.words
    broken = waiting(activity="faulted", faults=("PowerLoss",), reason=ReasonLive("fault", faults=("PowerLoss",)))
    assert whole(station(broken)).words.count("Check the circuit breaker.") == 1


@pytest.mark.parametrize(
    ("reason", "offered"),
    [
        (ReasonLive("waiting_for_card"), {"start", "unlock"}),
        (ReasonLive("refused", status="Blocked"), {"start", "unlock"}),
        (ReasonLive("not_accepted"), {"unlock"}),
        (ReasonLive("unavailable", by="csms"), {"unlock"}),
        (ReasonLive("reserved", who="•• 04AA"), {"unlock"}),
    ],
)
def test_no_start_is_offered_that_the_station_would_refuse(reason: ReasonLive, offered: set[str]) -> None:
    assert buttons(waiting(reason=reason)) == offered


def test_a_cable_that_is_kept_can_be_let_go() -> None:
    assert buttons(free(reason=ReasonLive("kept"))) == {"unlock"}


@pytest.mark.django_db
def test_the_cost_so_far_and_whose_card_it_is() -> None:
    Tariff.objects.create(valid_from=NOON - timedelta(days=1), currency="EUR", price=Decimal("0.30"))
    Card.objects.create(id_token=CARD, id_token_type="ISO14443", name="Olga's card")
    live = station(charging(1), waiting(2))
    assert "Cost so far" not in whole(live).words
    known.look_up(live)
    words = whole(live).words
    assert "Cost so far 0.90 €" in words
    assert "Who Olga's card" in words


@pytest.mark.django_db
def test_times_and_name_are_the_stations_own() -> None:
    Variable.objects.create(component="ClockCtrlr", variable="TimeZone", value="Asia/Tokyo")
    Settings.objects.create(pk=Settings.THE_ONE, name="Garage", place="Back yard")
    live = station(free(1))
    known.look_up(live)
    assert "21:00:00" in whole(live).words
    assert "Garage · Back yard" in whole(live).words


def test_faults_warnings_and_refusals_are_said() -> None:
    evse = waiting(activity="faulted", faults=("GroundFailure",), warnings=("TemperatureHigh",), message="Blocked")
    words = whole(station(evse)).words
    for said in ("leaking to earth", "warm and charges more slowly", "The card is blocked."):
        assert said in words


def test_hostile_strings_are_only_text() -> None:
    bad = '"><script>alert(1)</script>'
    evse = charging(
        1, activity=bad, id_token=bad, id_token_type=bad, faults=(bad,), warnings=(bad,), message=bad, started_at=bad
    )
    page = whole(station(evse, identity=bad, csms_url=bad, board_online=False, board_error=bad, registration=bad))
    assert "alert(1)" in page.words


@pytest.mark.parametrize("started_at", [None, "", "yesterday", "2025-13-01T00:00:00Z", "0001-01-01T00:00:00+23:59"])
def test_session_without_a_usable_start(started_at: str | None) -> None:
    assert whole(station(charging(1, started_at=started_at))).words


def test_clock_that_was_set_back_gives_no_negative_duration() -> None:
    words = whole(station(charging(1, started_at="2030-01-01T00:00:00Z"))).words
    assert "Duration –" in words


def test_only_what_changed_differs() -> None:
    before = fragments.pieces(station(charging(1), free(2)))
    after = fragments.pieces(station(replace(charging(1), power=7000.0), free(2)))
    assert {name for name in before if before[name] != after[name]} == {"evse-1-figures"}


def test_clock_alone_moves_no_idle_card() -> None:
    before = fragments.pieces(station(free(1)))
    after = fragments.pieces(station(free(1), at=NOON.replace(second=9).isoformat()))
    assert {name for name in before if before[name] != after[name]} == {"station-clock"}


def test_notices() -> None:
    assert "stale" not in fragments.notice_fragment()
    assert "has not reported" in look(fragments.notice_fragment("stale", NOON)).words
    assert "12:00:00" in look(fragments.notice_fragment("bus", NOON)).words
