"""The live view of a station, from its state."""

from __future__ import annotations

from datetime import timedelta

from station.domain.events import LimitWanted
from station.domain.moment import rfc3339
from station.live.payloads import EvseLive, StationLive, decode, encode
from station.uplink.presenter import CURVE_POINTS, REFUSAL_SHOWN, Presenter
from tests.support.memory_rig import EPOCH, MemoryRig


def look(rig: MemoryRig, presenter: Presenter | None = None) -> StationLive:
    presenter = presenter or Presenter("life", identity="CP-1", csms_url="ws://127.0.0.1")
    live = presenter.present(rig.station, rig.now)
    assert decode(encode(live)) == live
    return live


def evse(rig: MemoryRig, presenter: Presenter | None = None) -> EvseLive:
    return look(rig, presenter).evses[0]


def test_what_goes_on_has_a_word_in_every_stage_of_a_session() -> None:
    rig = MemoryRig().boot()
    assert evse(rig).activity == "free"
    rig.plug()
    assert evse(rig).activity == "waiting_for_card"
    rig.card()
    assert evse(rig).activity == "preparing"
    rig.let(5)
    assert evse(rig).activity == "charging"
    rig.ev(wants_energy=False)
    rig.let(10)
    assert evse(rig).activity == "suspended_ev"
    rig.card()
    rig.let(2)
    assert evse(rig).activity == "finishing"
    rig.unplug()
    assert evse(rig).activity == "free"
    rig.fault()
    rig.let(1)
    assert (evse(rig).activity, evse(rig).faults) == ("faulted", ("GroundFailure",))


def test_what_only_the_running_station_knows_of_the_device_model() -> None:
    rig = MemoryRig().boot()
    rig.plug()
    rig.card()
    rig.let(5)
    told = look(rig).variables
    assert told["EVSE@1.Power"] == "3680"
    assert told["Connector@1.1.AvailabilityState"] == "Occupied"
    assert told["ChargingStation.AvailabilityState"] == "Available"
    assert told["OCPPCommCtrlr.ActiveNetworkProfile"] == "1"
    assert told["ChargingStation.FirmwareVersion"] == "test"
    assert "SecurityCtrlr.BasicAuthPassword" not in told
    assert "TxCtrlr.EVConnectionTimeOut" not in told, "that is in the store"


def test_a_running_session_shows_its_energy_who_and_a_curve_that_grows() -> None:
    rig = MemoryRig().boot()
    presenter = Presenter("life", identity="CP-1", csms_url="ws://127.0.0.1")
    rig.plug()
    rig.card()
    lengths = []
    for _ in range(3):
        rig.let(5)
        shown = evse(rig, presenter)
        lengths.append(len(shown.curve))
    assert lengths == sorted(set(lengths)), "the curve does not grow"
    assert shown.id_token == "04A2B3C4D5E6F7"
    assert shown.energy > 5
    assert shown.power == 3680.0


def test_a_long_session_keeps_its_whole_curve_in_few_points() -> None:
    rig = MemoryRig().boot()
    presenter = Presenter("life", identity="CP-1", csms_url="ws://127.0.0.1")
    rig.plug()
    rig.card()
    for _ in range(400):
        rig.let(2)
        shown = evse(rig, presenter)
        assert len(shown.curve) <= CURVE_POINTS + 1
    assert shown.curve[0][0] < 5
    assert shown.curve[-1][0] > 780


def test_a_refusal_is_shown_for_a_while() -> None:
    rig = MemoryRig()
    rig.answers["Authorize"] = {"idTokenInfo": {"status": "Blocked"}}
    rig.boot()
    rig.plug()
    rig.card()
    assert evse(rig).message == "Blocked"
    rig.let(REFUSAL_SHOWN + 1)
    assert evse(rig).message == ""


def test_why_there_is_no_connection_is_said_only_while_there_is_none() -> None:
    rig = MemoryRig().boot()
    presenter = Presenter("life", identity="CP-1", csms_url="ws://127.0.0.1")
    presenter.link_note = "slot 1: HTTP 401"
    assert look(rig, presenter).link_note == ""
    rig.disconnect()
    assert look(rig, presenter).link_note == "slot 1: HTTP 401"


def test_limits_of_the_owner_with_their_end() -> None:
    rig = MemoryRig().boot()
    shown = evse(rig)
    assert (shown.current_max, shown.limit, shown.limit_until) == (32.0, None, "")
    rig.operator("limit", evse_id=1, current=16)
    rig.step(LimitWanted(1, 8.0, 60.0))
    rig.let(10.3)
    shown = evse(rig)
    assert (shown.limit, shown.limit_standing, shown.limit_timed) == (8.0, 16.0, 8.0)
    until = shown.limit_until
    rig.let(0.4)
    assert evse(rig).limit_until == until, "it does not tremble"
    assert until == rfc3339(EPOCH + timedelta(seconds=60))
