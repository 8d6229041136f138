"""Sessions on the whole appliance: board, station, CSMS and history have to tell one story."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import urllib.request

import pytest
from pypdf import PdfReader

from tests.support.appliance import CARD, PASSWORD, PROJECT, Appliance
from tests.support.csms import ScriptedCsms
from tests.support.waiting import wait_until
from tests.support.web import WebSession
from tests.system.charging import TOKEN, agree, charge, charging, of_evse, wait_energy, wait_told


def test_plug_card_charge_stop_by_card_unplug(appliance: Appliance, csms: ScriptedCsms) -> None:
    before = appliance.evse()["energy"]
    mark = csms.mark()
    transaction_id = charge(appliance, csms, energy=6)
    assert csms.requests("Authorize", mark) == [{"idToken": TOKEN}]
    csms.wait_for("StatusNotification", lambda status: status["connectorStatus"] == "Occupied", since=mark)
    sampled = csms.wait_for(
        "TransactionEvent", lambda event: event["triggerReason"] == "MeterValuePeriodic", since=mark
    )
    measurands = {sample["measurand"] for sample in sampled["meterValue"][0]["sampledValue"]}
    assert {"Energy.Active.Import.Register", "Power.Active.Import", "Voltage", "Current.Import"} <= measurands

    appliance.card()
    account = wait_told(csms, transaction_id)
    appliance.wait_evse(1, "open", contactor=False, power=0)
    after = appliance.evse()["energy"]
    unplugged = csms.mark()
    appliance.unplug()
    csms.wait_for("StatusNotification", lambda status: status["connectorStatus"] == "Available", since=unplugged)

    assert account.id_token == CARD
    assert account.evse_id == 1
    assert account.stopped_reason == "Local"
    assert account.in_order[-1]["triggerReason"] == "StopAuthorized"
    assert not account.offline
    assert next(event for event in account.in_order if charging(event))["numberOfPhasesUsed"] == 1
    assert account.energy is not None
    assert account.meter_start is not None and account.meter_stop is not None  # noqa: PT018
    assert before <= account.meter_start <= account.meter_stop <= after
    assert after - account.meter_stop < 1.5  # what flows while the EV ramps down
    agree(appliance, account)
    assert csms.overlaps() == []


def test_card_first_then_cable(appliance: Appliance, csms: ScriptedCsms) -> None:
    mark = csms.mark()
    appliance.card()
    csms.wait_for("TransactionEvent", lambda event: event["triggerReason"] == "Authorized", since=mark)
    appliance.plug(2)
    event = csms.wait_for("TransactionEvent", charging, since=mark)
    transaction_id = event["transactionInfo"]["transactionId"]
    assert of_evse(appliance, 2) == transaction_id
    appliance.unplug(2)
    account = wait_told(csms, transaction_id)
    assert account.evse_id == 2
    agree(appliance, account)


def test_the_csms_stops_it(appliance: Appliance, csms: ScriptedCsms) -> None:
    transaction_id = charge(appliance, csms)
    assert csms.call("RequestStopTransaction", {"transactionId": transaction_id})["status"] == "Accepted"
    account = wait_told(csms, transaction_id)
    assert account.stopped_reason == "Remote"
    assert account.in_order[-1]["triggerReason"] == "RemoteStop"
    appliance.wait_evse(1, "open", contactor=False)
    agree(appliance, account)


def test_unplugging_ends_it(appliance: Appliance, csms: ScriptedCsms) -> None:
    transaction_id = charge(appliance, csms)
    appliance.unplug()
    account = wait_told(csms, transaction_id)
    assert account.stopped_reason == "EVDisconnected"
    assert account.in_order[-1]["triggerReason"] == "EVCommunicationLost"
    agree(appliance, account)


def test_the_csms_starts_it(appliance: Appliance, csms: ScriptedCsms) -> None:
    mark = csms.mark()
    appliance.plug(2)
    csms.wait_for("TransactionEvent", lambda event: event["triggerReason"] == "CablePluggedIn", since=mark)
    request = {"evseId": 2, "remoteStartId": 4711, "idToken": {"idToken": "REMOTE-1", "type": "Central"}}
    answer = csms.call("RequestStartTransaction", request)
    assert answer["status"] == "Accepted"
    event = csms.wait_for("TransactionEvent", charging, since=mark)
    transaction_id = event["transactionInfo"]["transactionId"]
    assert answer.get("transactionId", transaction_id) == transaction_id
    wait_energy(appliance, 2, appliance.evse(2)["energy"] + 1)
    appliance.unplug(2)
    account = wait_told(csms, transaction_id)
    assert account.remote_start_id == 4711
    assert account.id_token == "REMOTE-1"
    assert "RemoteStart" in [event["triggerReason"] for event in account.in_order]
    agree(appliance, account)


def test_an_ev_that_is_full_suspends_and_may_go_on(appliance: Appliance, csms: ScriptedCsms) -> None:
    transaction_id = charge(appliance, csms)
    for wanted, state in ((False, "SuspendedEV"), (True, "Charging")):
        mark = csms.mark()
        appliance.bench("/evse/1/ev", {"requests_energy": wanted})
        told = csms.wait_for(
            "TransactionEvent",
            lambda event, state=state: event["transactionInfo"].get("chargingState") == state,  # type: ignore[misc]
            since=mark,
        )
        assert told["triggerReason"] == "ChargingStateChanged"
        assert told["transactionInfo"]["transactionId"] == transaction_id
    appliance.unplug()
    agree(appliance, wait_told(csms, transaction_id))


def test_a_card_that_the_csms_refuses_gets_no_energy(appliance: Appliance, csms: ScriptedCsms) -> None:
    mark = csms.mark()
    blocked = {"idTokenInfo": {"status": "Blocked"}}
    csms.on("Authorize", lambda request: blocked if request["idToken"]["idToken"] == CARD else None)
    appliance.plug()
    appliance.card()
    csms.wait_for("Authorize", since=mark)
    # The refused card is over and done with once another one, asked later, is accepted.
    assert not appliance.evse()["contactor"]
    appliance.card("04FFEEDDCCBB80")
    event = csms.wait_for("TransactionEvent", charging, since=mark)
    told = [frame for frame in csms.frames(mark) if frame.direction == "in" and frame.is_call]
    [_, second] = [place for place, frame in enumerate(told) if frame.action == "Authorize"]
    assert not any(frame.action == "TransactionEvent" and charging(frame.payload) for frame in told[:second])
    appliance.unplug()
    account = wait_told(csms, event["transactionInfo"]["transactionId"])
    assert account.id_token == "04FFEEDDCCBB80"
    agree(appliance, account)


def test_both_evses_at_once_with_a_card_each(appliance: Appliance, csms: ScriptedCsms) -> None:
    first = charge(appliance, csms, 1, energy=0)
    second = charge(appliance, csms, 2, energy=1, phases=1, max_current=10)
    assert first != second
    assert csms.call("GetTransactionStatus", {"transactionId": first})["ongoingIndicator"] is True
    appliance.unplug(1)
    appliance.unplug(2)
    accounts = [wait_told(csms, first), wait_told(csms, second)]
    assert [account.evse_id for account in accounts] == [1, 2]
    for account in accounts:
        agree(appliance, account)


def test_a_fault_ends_or_suspends_and_the_csms_hears(appliance: Appliance, csms: ScriptedCsms) -> None:
    transaction_id = charge(appliance, csms)
    mark = csms.mark()
    appliance.bench("/evse/1/fault", {"code": "GroundFailure"})
    csms.wait_for("StatusNotification", lambda status: status["connectorStatus"] == "Faulted", since=mark)
    appliance.wait_evse(1, "open", contactor=False, power=0)
    account = wait_told(csms, transaction_id)
    assert account.stopped_reason == "GroundFault"
    appliance.bench("/evse/1/fault", {"code": None})
    csms.wait_for("StatusNotification", lambda status: status["connectorStatus"] == "Occupied", since=mark)
    agree(appliance, account)


def test_the_device_model_is_told(appliance: Appliance, csms: ScriptedCsms) -> None:
    mark = csms.mark()
    assert csms.call("GetBaseReport", {"requestId": 8, "reportBase": "FullInventory"})["status"] == "Accepted"
    csms.wait_for("NotifyReport", lambda part: not part.get("tbc", False), since=mark)
    parts = csms.requests("NotifyReport", mark)
    assert [part["seqNo"] for part in parts] == list(range(len(parts)))
    names = {
        (entry["component"]["name"], entry["variable"]["name"])
        for part in parts
        for entry in part.get("reportData", ())
    }
    assert {("TxCtrlr", "TxStartPoint"), ("OCPPCommCtrlr", "HeartbeatInterval"), ("EVSE", "Power")} <= names
    variable = {"component": {"name": "SampledDataCtrlr"}, "variable": {"name": "TxUpdatedInterval"}}
    [told] = csms.call("GetVariables", {"getVariableData": [variable]})["getVariableResult"]
    assert (told["attributeStatus"], told["attributeValue"]) == ("Accepted", "2")


def test_an_immediate_reset_ends_the_transaction_and_boots_anew(appliance: Appliance, csms: ScriptedCsms) -> None:
    transaction_id = charge(appliance, csms)
    mark = csms.mark()
    assert csms.call("Reset", {"type": "Immediate"})["status"] == "Accepted"
    account = wait_told(csms, transaction_id)
    assert account.stopped_reason == "ImmediateReset"
    boot = csms.wait_for("BootNotification", since=mark, timeout=20)
    assert boot["reason"] == "RemoteReset"
    appliance.wait_healthy()
    appliance.wait_registered()
    assert appliance.evse()["plugged"]
    agree(appliance, account)
    # After the boot every connector is told, and the cable that is still in is no new transaction without a card.
    csms.wait_for("StatusNotification", lambda status: status["evseId"] == 2, since=mark)


def test_a_reset_on_idle_waits_for_the_end_of_the_transaction(appliance: Appliance, csms: ScriptedCsms) -> None:
    transaction_id = charge(appliance, csms)
    mark = csms.mark()
    assert csms.call("Reset", {"type": "OnIdle"})["status"] == "Scheduled"
    wait_energy(appliance, 1, appliance.evse()["energy"] + 2)
    assert csms.requests("BootNotification", mark) == []
    appliance.unplug()
    account = wait_told(csms, transaction_id)
    assert account.stopped_reason == "EVDisconnected"
    boot = csms.wait_for("BootNotification", since=mark, timeout=20)
    assert boot["reason"] in ("ScheduledReset", "RemoteReset")
    appliance.wait_healthy()
    agree(appliance, account)


def test_a_restart_goes_on_with_the_session(appliance: Appliance, csms: ScriptedCsms) -> None:
    transaction_id = charge(appliance, csms)
    mark = csms.mark()
    appliance.restart()
    csms.wait_for("TransactionEvent", charging, since=mark, timeout=30)
    assert of_evse(appliance, 1) == transaction_id
    appliance.unplug()
    agree(appliance, wait_told(csms, transaction_id))


@pytest.mark.parametrize("evse_id", [1, 2])
def test_unavailable_means_no_session(appliance: Appliance, csms: ScriptedCsms, evse_id: int) -> None:
    mark = csms.mark()
    evse = {"id": evse_id}
    try:
        request = {"operationalStatus": "Inoperative", "evse": evse}
        assert csms.call("ChangeAvailability", request)["status"] == "Accepted"
        csms.wait_for("StatusNotification", lambda status: status["connectorStatus"] == "Unavailable", since=mark)
        appliance.plug(evse_id)
        appliance.card(evse=evse_id)
        # What the station says of the other EVSE shows that it has seen this one, too.
        other = 3 - evse_id
        appliance.plug(other, requests_energy=False)
        csms.wait_for("TransactionEvent", since=mark)
        appliance.unplug(other)
        csms.wait_for("TransactionEvent", lambda event: event["eventType"] == "Ended", since=mark)
        events = csms.requests("TransactionEvent", mark)
        assert {event["evse"]["id"] for event in events if "evse" in event} == {other}
        assert len({event["transactionInfo"]["transactionId"] for event in events}) == 1
        assert not appliance.evse(evse_id)["contactor"]
    finally:
        appliance.unplug(evse_id)
        assert csms.call("ChangeAvailability", {"operationalStatus": "Operative", "evse": evse})["status"] == "Accepted"
    csms.wait_for("StatusNotification", lambda status: status["connectorStatus"] == "Available", since=mark)


def test_a_session_on_paper(appliance: Appliance, csms: ScriptedCsms) -> None:
    """Ordered at the web server, made by a process of the transfer worker, followed and downloaded."""
    transaction_id = charge(appliance, csms, energy=3)
    appliance.card()
    account = wait_told(csms, transaction_id)
    appliance.unplug()
    somebody = "import django; django.setup(); from django.contrib.auth.models import User; User.objects.create_user"
    subprocess.run(
        [sys.executable, "-c", f"{somebody}('paula', password={PASSWORD!r})"],
        cwd=PROJECT,
        env={**appliance.environment, "DJANGO_SETTINGS_MODULE": "station.project.settings"},
        timeout=60,
        check=True,
    )
    page = WebSession(appliance.web, name="paula", password=PASSWORD)
    ordered = page.post("/sessions/statement/?evse=1")
    (address,) = set(re.findall(r"/work/[0-9a-f-]{36}/", ordered))
    wait_until(lambda: f"{address}file/" in page.get(address), "the statement", timeout=60, every=0.5)
    with urllib.request.urlopen(
        urllib.request.Request(f"http://127.0.0.1:{appliance.web}{address}file/", headers={"Cookie": page.cookie}),
        timeout=30,
    ) as answer:
        text = "".join(one.extract_text() for one in PdfReader(io.BytesIO(answer.read())).pages)
    assert account.energy is not None
    assert f"{account.energy / 1000:.3f}" in text
    # the process that made it, and all that it had loaded, is gone
    wait_until(
        lambda: not [one for one in appliance.processes() if "work" in one.cmdline()], "the maker is gone", timeout=15
    )
