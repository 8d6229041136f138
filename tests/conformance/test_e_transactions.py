"""Part 6, section 2.6: E Transactions."""

import pytest

from tests.conformance.rig import Rig
from tests.conformance.states import DURATION, Session


@pytest.mark.tc("TC_E_03")
def test_local_start_cable_plugin_first(rig: Rig) -> None:
    rig.start()
    session = Session(rig)
    session.ev_connected_pre_session()
    session.authorize()
    session.energy_transfer_started()


@pytest.mark.tc("TC_E_04")
def test_local_start_authorization_first(rig: Rig) -> None:
    rig.start()
    session = Session(rig)
    session.authorize()
    session.energy_transfer_started()


@pytest.mark.tc("TC_E_38")
def test_ev_not_ready(rig: Rig) -> None:
    rig.start()
    session = Session(rig)
    session.authorize()
    session.ev_connected_pre_session(requests_energy=False)
    event = session.event("ChargingStateChanged")
    assert event["transactionInfo"]["chargingState"] == "SuspendedEV", event


@pytest.mark.tc("TC_E_06")
def test_local_stop_accepted(rig: Rig) -> None:
    rig.start()
    session = Session(rig)
    session.energy_transfer_started()
    rig.let(DURATION)
    event = session.stop_authorized()
    assert event["eventType"] == "Ended", event
