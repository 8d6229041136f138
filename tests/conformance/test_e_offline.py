"""Part 6, section 2.6, E Transactions: lost connections, and TransactionEvents that the CSMS fails to take."""

from itertools import pairwise

import pytest

from tests.conformance.kinds import kinds
from tests.conformance.rig import Error, Payload, Rig, Silence
from tests.conformance.states import DURATION, Session, configured

TIMEOUT, INTERVAL = 2.0, 2.0  # s
SLACK = 1.5  # s, of real time
RETRY = {
    "OCPPCommCtrlr.MessageTimeout[Default]": f"{TIMEOUT:g}",
    "OCPPCommCtrlr.MessageAttempts[TransactionEvent]": "3",
    "OCPPCommCtrlr.MessageAttemptInterval[TransactionEvent]": f"{INTERVAL:g}",
    "SampledDataCtrlr.TxUpdatedInterval": "0",
}


# ------------------------------------------------------------------ E04, E08, E11, E12


@pytest.mark.tc("TC_E_40")
@pytest.mark.both_rigs
def test_connection_loss_during_transaction(rig: Rig) -> None:
    session = configured(rig, **{"SampledDataCtrlr.TxUpdatedInterval": "1"})
    session.energy_transfer_started()
    rig.let(0.5)
    rig.forget()
    rig.go_away()
    rig.let(DURATION)
    lost = len(rig.messages())
    rig.come_back()
    rig.wait_until(lambda: any(not event.get("offline") for event in _told_since(rig, lost)), 10)
    told = [event for event in _told_since(rig, lost) if event.get("offline")]
    assert len(told) >= DURATION - 1, told
    for event in told:
        assert event["eventType"] == "Updated", event
        assert event["meterValue"], event


def _told_since(rig: Rig, place: int) -> list[Payload]:
    return [one.payload for one in rig.messages()[place:] if one.action == "TransactionEvent"]


@pytest.mark.tc("TC_E_43")
@kinds("ISO14443", "ISO15693", "KeyCode", "MacAddress", "NoAuthorization")
def test_transaction_during_offline_period(rig: Rig, kind: str) -> None:
    session = configured(rig, kind=kind, **{"AuthCtrlr.OfflineTxForUnknownIdEnabled": "true"})
    rig.go_away()
    rig.bay()
    rig.plug()
    rig.present(session.token, kind)
    rig.let(DURATION)
    rig.present(session.token, kind, stop=True)
    rig.let(DURATION)
    rig.unplug()
    rig.bay(occupied=False)
    rig.let(1.0)
    rig.come_back()
    _all_offline(session)
    assert session.events[0]["eventType"] == "Started"


@pytest.mark.tc("TC_E_44")
@kinds("ISO14443", "ISO15693", "KeyCode", "Local", "MacAddress", "NoAuthorization")
def test_stop_during_offline_period(rig: Rig, kind: str) -> None:
    session = configured(rig, kind=kind)
    session.ev_connected_pre_session()
    session.energy_transfer_started()
    rig.let(0.5)
    rig.go_away()
    rig.present(session.token, kind, stop=True)
    rig.let(DURATION)
    rig.unplug()
    rig.let(1.0)
    rig.come_back()
    _all_offline(session)


def _all_offline(session: Session) -> None:
    while not session.ended:
        event = session.event(
            "Authorized", "CablePluggedIn", "ChargingStateChanged", "StopAuthorized", "EVCommunicationLost"
        )
        assert event["offline"] is True, event


# ------------------------------------------------------------------ E13


def _sendings(rig: Rig, answers: dict[int, object]) -> list[float]:
    """Plug in after an authorization; the times at which the event of that was sent, answered as told by number."""
    session = configured(rig, **RETRY)
    session.authorize()
    rig.let(0.5)
    times: list[float] = []
    trouble: dict[str, int] = {}

    def answer(event: Payload) -> object:
        number = trouble.setdefault("seqNo", event["seqNo"])
        if event["seqNo"] != number:
            return None
        times.append(rig.seconds())
        return answers.get(len(times), answers[0])

    rig.answer("TransactionEvent", answer)
    rig.plug(requests_energy=False)
    rig.expect("TransactionEvent", lambda event: event["triggerReason"] == "CablePluggedIn")
    rig.let(3 * TIMEOUT + (1 + 2 + 3) * INTERVAL + SLACK)  # one interval longer than the last attempt
    return times


def _apart(times: list[float], *expected: float) -> None:
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert len(gaps) == len(expected), gaps
    for gap, wanted in zip(gaps, expected, strict=True):
        assert wanted - 0.3 <= gap <= wanted + SLACK, gaps


@pytest.mark.tc("TC_E_41")
def test_max_retry_count_reached(rig: Rig) -> None:
    _apart(_sendings(rig, {0: Silence()}), TIMEOUT + INTERVAL, TIMEOUT + 2 * INTERVAL)


@pytest.mark.tc("TC_E_42")
def test_success_before_the_max_retry_count(rig: Rig) -> None:
    _apart(_sendings(rig, {0: Silence(), 2: None}), TIMEOUT + INTERVAL)


@pytest.mark.tc("TC_E_50")
def test_max_retry_count_reached_call_error(rig: Rig) -> None:
    _apart(_sendings(rig, {0: Error("InternalError")}), INTERVAL, 2 * INTERVAL)


@pytest.mark.tc("TC_E_51")
def test_success_before_the_max_retry_count_call_error(rig: Rig) -> None:
    _apart(_sendings(rig, {0: Error("InternalError"), 2: None}), INTERVAL)
