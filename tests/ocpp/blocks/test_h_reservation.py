"""H01 to H04: reservations, and what they keep from whom."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.domain.moment import rfc3339
from station.domain.reservation import Reservation, Reservations
from station.domain.transaction import IdToken
from tests.ocpp.blocks.stations import charging, station
from tests.support.memory_rig import EPOCH, MemoryRig

CARD, OTHER, THIRD = "04A2B3C4D5E6F7", "04FFEEDDCCBBAA", "0400112233AABB"
FLEET = {"idToken": "FLEET-7", "type": "Central"}
HOUR = 3600.0


def reserve(rig: MemoryRig, number: int = 1, token: str = CARD, *, lasts: float = HOUR, **fields: Any) -> str:
    id_token = {"idToken": token, "type": fields.pop("type", "ISO14443")}
    expires = rfc3339(rig.station.clock.utc(rig.now) + timedelta(seconds=lasts))
    answer = rig.call("ReserveNow", {"id": number, "expiryDateTime": expires, "idToken": id_token, **fields})
    return " ".join([answer["status"], *([answer["statusInfo"]["reasonCode"]] if "statusInfo" in answer else [])])


def updates(rig: MemoryRig) -> list[tuple[int, str]]:
    return [(one["reservationId"], one["reservationUpdateStatus"]) for one in rig.sent("ReservationStatusUpdate")]


def reservation_ids(rig: MemoryRig) -> list[int]:
    return [event["reservationId"] for event in rig.events() if "reservationId" in event]


def refusals(rig: MemoryRig) -> list[str]:
    return [entry.data["why"] for entry in rig.disk.journal if entry.kind == "refused"]


# ------------------------------------------------------------------ refused


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"evseId": 3}, "Rejected UnknownEvse"),
        ({"connectorType": "cCCS2"}, "Rejected UnknownConnectorType"),
        ({"evseId": 1, "connectorType": "cType2"}, "Rejected UnknownConnectorType"),
        ({"evseId": 1, "lasts": -1}, "Rejected InvalidValue"),
        ({"evseId": 1, "type": "MacAddress"}, "Rejected InvalidIdToken"),
    ],
)
def test_what_cannot_be_reserved(fields: dict[str, Any], status: str) -> None:
    rig = station()
    assert reserve(rig, **fields) == status
    assert "Reserved" not in rig.statuses()
    assert rig.disk.load().remembered.get("reservations") is None


def test_nothing_is_reserved_before_the_station_is_accepted() -> None:
    rig = MemoryRig()
    rig.answers["BootNotification"] = {"status": "Pending", "interval": 300, "currentTime": rfc3339(EPOCH)}
    rig.boot()
    assert reserve(rig, evseId=1) == "Rejected NotEnabled"


def test_a_replacement_that_is_refused_leaves_what_was() -> None:
    rig = station()
    assert reserve(rig, 1, evseId=1) == "Accepted"
    assert reserve(rig, 2, OTHER, evseId=2) == "Accepted"
    assert reserve(rig, 1, evseId=2) == "Occupied"
    assert (rig.statuses(1)[-1], rig.statuses(2)[-1]) == ("Reserved", "Reserved")


def test_a_replacement_frees_what_was_reserved() -> None:
    """H01.FR.02."""
    rig = station()
    reserve(rig, 1, evseId=1)
    assert reserve(rig, 1, evseId=2) == "Accepted"
    rig.let(1)
    assert (rig.statuses(1)[-1], rig.statuses(2)[-1]) == ("Available", "Reserved")


def test_switched_off_later_it_keeps_what_was_reserved() -> None:
    rig = station()
    reserve(rig, evseId=1)
    rig.set_variable("ReservationCtrlr.Enabled", "false")
    assert reserve(rig, 2, OTHER, evseId=2) == "Rejected NotEnabled"
    rig.card(OTHER, evse=1)
    assert refusals(rig) == ["reserved"]


# ------------------------------------------------------------------ who is let in, and where


def test_a_strangers_cable_changes_nothing() -> None:
    """G01.FR.09, H03 S1: a transaction may run, no energy flows, the connector stays Reserved."""
    rig = station()
    reserve(rig, evseId=1)
    rig.plug()
    rig.card(OTHER, evse=1)
    rig.let(3)
    assert rig.statuses()[-1] == "Reserved"
    assert refusals(rig) == ["reserved"]
    assert rig.sent("Authorize") == []
    assert rig.board.evses[1].power == 0
    rig.card(CARD)
    rig.let(3)
    assert rig.statuses()[-1] == "Occupied"  # G01.FR.06, H03.FR.10
    assert rig.board.evses[1].power > 0
    assert reservation_ids(rig) == [1]


def test_the_driver_is_sent_to_the_evse_that_is_kept_for_him() -> None:
    """H03.FR.01, though somebody else's car waits at the other one."""
    rig = station()
    reserve(rig, evseId=1)
    rig.plug(2)
    rig.card(CARD)
    rig.let(1)
    assert rig.statuses(1)[-1] == "Available"
    assert rig.board.evses[2].power == 0
    rig.plug(1)
    rig.let(3)
    assert rig.board.evses[1].power > 0
    assert updates(rig) == []


def test_who_was_let_in_without_a_cable_does_not_get_a_reserved_evse() -> None:
    rig = station()
    reserve(rig, evseId=1)
    rig.card(OTHER)
    rig.plug(1)
    rig.let(3)
    assert rig.board.evses[1].power == 0
    assert rig.statuses(1)[-1] == "Reserved"
    rig.plug(2)
    rig.let(3)
    assert rig.board.evses[2].power > 0


def test_no_energy_without_a_token_where_nobody_has_to_be_asked() -> None:
    rig = station(**{"AuthCtrlr.Enabled": "false"})
    reserve(rig, evseId=1)
    rig.plug(1)
    rig.plug(2)
    rig.let(3)
    assert (rig.board.evses[1].power, rig.board.evses[2].power > 0) == (0, True)


@pytest.mark.parametrize(("group", "let_in"), [(FLEET, True), ({**FLEET, "idToken": "FLEET-8"}, False), (None, False)])
def test_a_token_of_the_group(group: dict[str, str] | None, *, let_in: bool) -> None:
    """H03.FR.04, H03.FR.08."""
    rig = station()
    reserve(rig, evseId=1, groupIdToken=FLEET)
    rig.answers["Authorize"] = {"idTokenInfo": {"status": "Accepted", **({"groupIdToken": group} if group else {})}}
    rig.plug()
    rig.card(OTHER)
    rig.let(3)
    assert len(rig.sent("Authorize")) == 1
    assert (rig.board.evses[1].power > 0) is let_in
    assert reservation_ids(rig) == ([1] if let_in else [])


def test_the_cache_knows_the_group_while_offline() -> None:
    """H03.FR.07."""
    rig = station(**{"AuthCacheCtrlr.Enabled": "true", "AuthCtrlr.LocalAuthorizeOffline": "true"})
    rig.answers["Authorize"] = {"idTokenInfo": {"status": "Accepted", "groupIdToken": FLEET}}
    rig.card(OTHER, evse=2)
    rig.card(OTHER, evse=2)
    rig.let(1)
    reserve(rig, evseId=1, groupIdToken=FLEET)
    rig.disconnect()
    rig.plug()
    rig.card(OTHER)
    rig.let(3)
    assert rig.board.evses[1].power > 0


@pytest.mark.parametrize(
    ("token", "group", "status"), [(OTHER, None, "Rejected"), (OTHER, FLEET, "Accepted"), (CARD, None, "Accepted")]
)
def test_remote_starts(token: str, group: dict[str, str] | None, status: str) -> None:
    """F01.FR.21, F01.FR.22, F02.FR.23, F02.FR.24."""
    rig = station()
    reserve(rig, evseId=1, groupIdToken=FLEET)
    request: dict[str, Any] = {"idToken": {"idToken": token, "type": "ISO14443"}, "remoteStartId": 7, "evseId": 1}
    answer = rig.call("RequestStartTransaction", request | ({"groupIdToken": group} if group else {}))
    assert answer["status"] == status
    rig.plug()
    rig.let(3)
    assert reservation_ids(rig) == ([1] if status == "Accepted" else [])


def test_a_remote_start_without_an_evse_takes_the_reserved_one() -> None:
    rig = station()
    reserve(rig, evseId=2)
    request = {"idToken": {"idToken": CARD, "type": "ISO14443"}, "remoteStartId": 7}
    assert rig.call("RequestStartTransaction", request)["status"] == "Accepted"
    rig.plug(2)
    rig.let(3)
    assert rig.board.evses[2].power > 0
    assert reservation_ids(rig) == [1]


def test_the_reservation_is_named_once_though_the_power_goes() -> None:
    rig = station()
    reserve(rig, evseId=1)
    rig.plug()
    rig.card(CARD)
    rig.let(3)
    rig.power_cut()
    rig.boot()
    rig.let(3)
    rig.card(CARD)
    rig.let(10)
    assert reservation_ids(rig) == [1]
    assert rig.events()[-1]["eventType"] in ("Updated", "Ended")


# ------------------------------------------------------------------ any EVSE


def test_the_last_free_evse_is_kept() -> None:
    """H01.FR.07: while there are more than are needed, none is Reserved."""
    rig = station()
    assert reserve(rig) == "Accepted"
    assert (rig.statuses(1)[-1], rig.statuses(2)[-1]) == ("Available", "Available")
    rig.plug(1)
    rig.let(1)
    assert (rig.statuses(1)[-1], rig.statuses(2)[-1]) == ("Occupied", "Reserved")
    rig.card(OTHER, evse=2)
    assert refusals(rig) == ["reserved"]
    rig.unplug(1)
    rig.let(1)
    assert (rig.statuses(1)[-1], rig.statuses(2)[-1]) == ("Available", "Available")


def test_who_comes_first_may_still_charge() -> None:
    rig = station()
    reserve(rig)
    rig.plug(1)
    rig.card(OTHER)
    rig.let(3)
    assert rig.board.evses[1].power > 0
    assert rig.statuses(2)[-1] == "Reserved"
    rig.plug(2)
    rig.card(CARD)
    rig.let(3)
    assert rig.board.evses[2].power > 0
    assert reservation_ids(rig) == [1]


def test_types_of_connector() -> None:
    """H01.FR.09, H01.FR.24."""
    rig = station(**{"Connector@2.1.ConnectorType": "cType2"})
    assert reserve(rig, connectorType="cType2") == "Accepted"
    assert (rig.statuses(1)[-1], rig.statuses(2)[-1]) == ("Available", "Reserved")
    assert reserve(rig, 2, OTHER, connectorType="cType2") == "Occupied"
    assert reserve(rig, 2, OTHER) == "Accepted"
    assert rig.statuses(1)[-1] == "Reserved"


# ------------------------------------------------------------------ over


def test_it_expires() -> None:
    """H04.FR.01 to H04.FR.03, in the order of part 6."""
    rig = station()
    reserve(rig, evseId=1, lasts=60)
    rig.skip(59)
    assert updates(rig) == []
    rig.skip(2)
    assert updates(rig) == [(1, "Expired")]
    assert rig.statuses()[-1] == "Available"
    actions = [frame[2] for direction, frame in rig.trace if direction == ">" and frame[0] == 2]
    assert actions[-2:] == ["StatusNotification", "ReservationStatusUpdate"]


def test_it_outlives_a_power_cut_and_expires_meanwhile() -> None:
    """B11.FR.05."""
    rig = station()
    reserve(rig, evseId=1, lasts=600)
    reserve(rig, 2, OTHER, evseId=2, lasts=60)
    rig.power_cut()
    rig.now = rig.now.plus(120)
    rig.boot()
    rig.let(1)
    assert (rig.statuses(1)[-1], rig.statuses(2)[-1]) == ("Reserved", "Available")
    rig.card(OTHER, evse=1)
    assert refusals(rig) == ["reserved"]


@pytest.mark.parametrize("how", ["fault", "inoperative"])
def test_an_evse_that_fails_frees_its_reservation(how: str) -> None:
    """H01.FR.16, H01.FR.17."""
    rig = station()
    reserve(rig, evseId=1)
    if how == "fault":
        rig.fault()
    else:
        rig.call("ChangeAvailability", {"operationalStatus": "Inoperative", "evse": {"id": 1}})
    rig.let(1)
    assert updates(rig) == [(1, "Removed")]
    assert rig.disk.load().remembered.get("reservations") is None


def test_as_many_as_still_fit_are_kept_when_an_evse_fails() -> None:
    rig = station()
    reserve(rig, 1)
    reserve(rig, 2, OTHER)
    rig.fault(2)
    rig.let(1)
    assert updates(rig) == [(2, "Removed")]
    assert rig.statuses(1)[-1] == "Reserved"


def test_the_reset_of_an_evse_is_not_its_failure() -> None:
    """B11.FR.05."""
    rig = station(**{"EVSE@1.AllowReset": "true"})
    reserve(rig, evseId=1)
    assert rig.call("Reset", {"type": "Immediate", "evseId": 1})["status"] == "Accepted"
    rig.let(20)
    assert updates(rig) == []
    assert rig.statuses()[-1] == "Reserved"


def test_a_reset_on_idle_waits_for_the_reserved_driver() -> None:
    """Errata 2025-09, 6.2.16: a reservation that is pending is not idle."""
    rig = station()
    reserve(rig, evseId=1)
    assert rig.call("Reset", {"type": "OnIdle"})["status"] == "Scheduled"
    rig.card(OTHER)
    assert refusals(rig) == ["restarting"]
    rig.plug()
    rig.card(CARD)
    rig.let(5)
    assert rig.board.evses[1].power > 0
    assert rig.reboots == []
    rig.card(CARD)
    rig.unplug()
    rig.let(20)
    assert rig.reboots == ["ScheduledReset"]


def test_a_session_that_runs_is_nobodys_to_reserve() -> None:
    rig = charging()
    assert reserve(rig, 5, OTHER, evseId=1) == "Occupied"
    assert reserve(rig, 5, OTHER) == "Accepted"
    assert rig.statuses(2)[-1] == "Reserved"


# ------------------------------------------------------------------ the sums


@given(st.data())
def test_what_is_held_is_enough_and_no_more(data: st.DataObject) -> None:
    """A stranger who takes any EVSE that is not held leaves room for everybody who has a reservation."""
    types = st.sampled_from(["cType1", "cType2"])
    connectors = dict(enumerate(data.draw(st.lists(types, min_size=1, max_size=6)), start=1))
    kinds = st.sampled_from(["", "cType1", "cType2"])
    entries = {}
    kept = Reservations(connectors)
    for number, kind in enumerate(data.draw(st.lists(kinds, max_size=6))):
        one = Reservation(number, EPOCH, IdToken(str(number), "Central"), connector_type=kind)
        if kept.suffices(connectors, [*entries.values(), one]):
            entries[number] = one
    kept.entries = entries
    free = set(connectors)
    kept.hold(free)
    for evse_id in free:
        assert kept.suffices(free - {evse_id}, entries.values()) is (evse_id not in kept.held)
    if entries and len(entries) == len(free):
        assert kept.held == free  # H01.FR.20
