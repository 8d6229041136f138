"""The one table by which provision and the commissioning wizard set a station up."""

from __future__ import annotations

import pytest

from station.device_model.components import EVSE, ElectricalFeed
from station.device_model.installation import Unfit, current_of, set_up
from station.device_model.model import DeviceModel

SUPPLY = {"ElectricalFeed.FuseRating": "32", "ChargingStation.SupplyPhases": "3"}
ONE = {"EVSE@1.Power": "3680", "EVSE@1.SupplyPhases": "1", "EVSE@1.PhaseRotation": "Rxx"}
TWO = {"EVSE@2.Power": "3680", "EVSE@2.SupplyPhases": "1", "EVSE@2.PhaseRotation": "Rxx"}
BOARD = {1: 32.0, 2: 20.0}


def model() -> DeviceModel:
    return DeviceModel(2)


def flaw(**changes: str) -> tuple[str, str]:
    wishes = {
        **SUPPLY,
        **ONE,
        **TWO,
        **{name.replace("__", "@").replace("_", "."): text for name, text in changes.items()},
    }
    with pytest.raises(Unfit) as caught:
        set_up(model(), wishes.items(), BOARD)
    assert caught.value.flaw is not None
    return caught.value.name, caught.value.flaw.kind


def test_what_fits_is_set_and_handed_back() -> None:
    station = model()
    effects = set_up(station, {**SUPPLY, **ONE, **TWO}.items(), BOARD)
    assert [effect.value for effect in effects][:3] == ["32", "3", "3680"]
    assert station[ElectricalFeed.FuseRating] == 32
    assert current_of(station, 1) == pytest.approx(16)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"ElectricalFeed_FuseRating": "20"}, ("ElectricalFeed.FuseRating", "fuse")),
        ({"EVSE__1_Power": "7600"}, ("EVSE@1.Power", "board")),
        ({"EVSE__2_Power": "4830"}, ("EVSE@2.Power", "board")),
        ({"EVSE__1_Power": "1300"}, ("EVSE@1.Power", "least")),
        ({"EVSE__1_SupplyPhases": "2", "EVSE__1_PhaseRotation": ""}, ("EVSE@1.SupplyPhases", "phases")),
        ({"EVSE__1_PhaseRotation": "RST"}, ("EVSE@1.PhaseRotation", "rotation")),
        ({"ChargingStation_SupplyPhases": "1", "EVSE__2_PhaseRotation": "Sxx"}, ("EVSE@2.PhaseRotation", "conductors")),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(changes: dict[str, str], expected: tuple[str, str]) -> None:
    assert flaw(**changes) == expected


def test_on_conductors_of_their_own_they_share_no_fuse() -> None:
    wishes = {**SUPPLY, "ElectricalFeed.FuseRating": "20", **ONE, **TWO, "EVSE@2.PhaseRotation": "Sxx"}
    set_up(model(), wishes.items(), BOARD)


def test_a_refusal_changes_nothing() -> None:
    station = model()
    before = [(entry.names, entry.text(), entry.limits, entry.value) for entry in station.entries()]
    for wishes in (
        {**SUPPLY, **ONE, "EVSE@2.Power": "9000"},
        {**ONE, "EVSE@9.Power": "1"},
        {**ONE, "EVSE@2.Power": "much"},
    ):
        with pytest.raises(Unfit):
            set_up(station, wishes.items(), BOARD)
        assert [(entry.names, entry.text(), entry.limits, entry.value) for entry in station.entries()] == before


def test_while_nobody_has_said_the_fuse_a_factory_may_set_what_it_likes() -> None:
    set_up(model(), {"EVSE@1.Power": "100", "EVSE@1.SupplyPhases": "3"}.items())


def test_the_voltage_counts() -> None:
    station = model()
    set_up(station, {"ElectricalFeed.ACVoltage": "115", "EVSE@1.Power": "1840"}.items())
    assert current_of(station, 1) == pytest.approx(16)
    assert station.limits(EVSE.Power.at(1)).maximum == 1840
