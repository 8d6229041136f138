"""The device model's pages: what is shown, found, set and refused, and what never leaves the station."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from station.domain.effects import FinishCommand, SaveVariable, SetBy
from station.store import repositories
from station.store.models import Command, Variable, VariableChange
from tests.webui.looking import Looking, look
from tests.webui.making import NOON, charging, free, station
from webui.dashboard import latest
from webui.device_model import describe
from webui.device_model.reading import Reading

HTMX = {"HX-Request": "true"}
TIMEOUT = "TxCtrlr.EVConnectionTimeOut"
PASSWORD = "SecurityCtrlr.BasicAuthPassword"
SECRET = "correct horse battery"
MAX_BYTES = 150_000
LATELY = datetime(2025, 6, 1, 11, 59, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _keys(settings: Any, tmp_path: Any) -> None:
    settings.KEYS_DIR = tmp_path / "keys"


def page(client: Client, address: str, status: int = 200) -> Looking:
    answer = client.get(address)
    assert answer.status_code == status
    return look(answer.content)


def ask(client: Client, name: str, value: Any, **more: Any) -> Any:
    return client.post(f"/device-model/{name}/set/", {"value": value}, **more)


# ------------------------------------------------------------------ who


def test_only_an_installer_sees_and_sets(browser: Client) -> None:
    for address in ("/device-model/", f"/device-model/{TIMEOUT}/"):
        assert "This is not open to you" in page(browser, address, 403).words
    assert ask(browser, TIMEOUT, "30").status_code == 403
    assert not Command.objects.exists()
    assert "/device-model/" not in page(browser, "/").links


def test_linked_for_an_installer(installer: Client) -> None:
    assert "/network/" in page(installer, "/").links
    assert "/device-model/" in page(installer, "/network/").links


# ------------------------------------------------------------------ the list


def test_every_variable_is_there_and_has_a_page(installer: Client) -> None:
    answer = installer.get("/device-model/")
    assert len(answer.content) <= MAX_BYTES
    links = look(answer.content).links
    shown = Reading().all()
    assert len(shown) > 100
    for item in shown:
        address = next(
            link for link in links if link.endswith(f".{item.label.replace('[', '%5B').replace(']', '%5D')}/")
        )
        assert installer.get(address).status_code == 200
    assert len({link for link in links if link.startswith("/device-model/") and link != "/device-model/"}) == len(shown)


def test_the_largest_station(installer: Client) -> None:
    latest.remember(station(*(free(number) for number in range(1, 33))))
    answer = installer.get("/device-model/")
    assert len(answer.content) <= MAX_BYTES
    words = look(answer.content).words
    assert "more are not shown" in words
    assert "EVConnectionTimeOut" in words  # the station's own come first
    assert "EVSE 32" not in words
    assert "EVSE 32" in page(installer, "/device-model/?q=EVSE@32").words


def test_a_row_says_all(installer: Client) -> None:
    repositories.commit([SaveVariable("TxCtrlr", "EVConnectionTimeOut", "45")])
    words = page(installer, "/device-model/?q=EVConnectionTimeOut").words
    for said in ("45 s", "changed, factory: 60", "1 to 3600 s", "can be set", "How long an authorization waits"):
        assert said in words
    assert "needs a restart" in page(installer, "/device-model/?q=ConfigurationPriority").words
    assert "read only" in page(installer, "/device-model/?q=ReportingValueSize").words


@pytest.mark.parametrize(
    ("query", "there", "not_there"),
    [
        ("q=evconnection", "EVConnectionTimeOut", "HeartbeatInterval"),
        ("q=occpc+OCPPComm", "No variable fits", "HeartbeatInterval"),
        ("q=ocppcomm+heart", "HeartbeatInterval", "MessageTimeout"),
        ("q=EVSE@2", "EVSE 2", "EVSE 1"),
        ("show=reboot", "NetworkConfigurationPriority", "HeartbeatInterval"),
        ("show=writable", "HeartbeatInterval", "VendorName"),
        ("show=changed", "No variable fits", "HeartbeatInterval"),
    ],
)
def test_search(installer: Client, query: str, there: str, not_there: str) -> None:
    words = page(installer, f"/device-model/?{query}").words
    assert there in words
    assert not_there not in words


@pytest.mark.parametrize("query", ["show=nonsense", "q=" + "x" * 101, "q=%00"])
def test_a_search_that_makes_no_sense(installer: Client, query: str) -> None:
    page(installer, f"/device-model/?{query}", 400)


def test_hostile_search_is_only_text(installer: Client) -> None:
    assert "<script>" not in installer.get("/device-model/?q=%22%3E%3Cscript%3E").content.decode()


def test_what_only_the_running_station_knows(installer: Client) -> None:
    """No default is passed off as a measured value."""
    address = "/device-model/EVSE@1.Power/"
    assert "it has not told it here" in page(installer, address).words
    told = {"EVSE@1.Power": "7312", "Connector@1.1.AvailabilityState": "Occupied", "AuthCacheCtrlr.Storage": "250"}
    latest.remember(station(charging(1), free(2), variables=told))
    assert "7312 W live" in page(installer, address).words
    assert "Occupied live" in page(installer, "/device-model/Connector@1.1.AvailabilityState/").words
    assert "250 B live" in page(installer, "/device-model/AuthCacheCtrlr.Storage/").words
    assert f"{NOON.isoformat()} live" in page(installer, "/device-model/ClockCtrlr.DateTime/").words
    assert "it has not told it here" in page(installer, "/device-model/EVSE@2.Power/").words
    latest.remember(station(charging(1, activity="no_board"), board_online=False, variables=told))
    assert "7312" not in page(installer, address).words


def test_a_rating_is_a_limit(installer: Client) -> None:
    repositories.commit([SaveVariable("EVSE", "Power", "3680", "MaxLimit", evse_id=1)])
    words = page(installer, "/device-model/EVSE@1.Power/").words
    assert "0 to 3680 W" in words
    assert "factory: up to 7360" in words


@pytest.mark.parametrize(
    "name", ["Nothing.There", "TxCtrlr", "EVSE@9.Power", "EVSE@0.Power", "%00", "TxCtrlr@1.TxStartPoint"]
)
def test_no_such_variable(installer: Client, name: str) -> None:
    page(installer, f"/device-model/{name}/", 404)
    assert ask(installer, name, "1").status_code == 404


# ------------------------------------------------------------------ setting


def test_a_value_is_filed_and_followed(installer: Client, person: User) -> None:
    answer = ask(installer, TIMEOUT, " 30 ", headers=HTMX)
    assert "Sent to the station" in look(answer.content).words
    command = Command.objects.get()
    assert (command.action, command.user) == ("set_variable", person)
    assert command.arguments == {
        "component": "TxCtrlr",
        "variable": "EVConnectionTimeOut",
        "component_instance": "",
        "variable_instance": "",
        "evse_id": 0,
        "connector_id": 0,
        "value": "30",
    }
    assert "Waits for the station" in page(installer, f"/device-model/{TIMEOUT}/").words
    repositories.commit(
        [
            FinishCommand(command.pk, "Accepted", f"{TIMEOUT} is set"),
            SaveVariable("TxCtrlr", "EVConnectionTimeOut", "30", old="60", by=SetBy.PERSON, who="olga", at=LATELY),
        ]
    )
    answer = installer.get(f"/commands/{command.pk}/")
    assert answer.headers["HX-Trigger"] == "command-finished, command-accepted"
    words = page(installer, f"/device-model/{TIMEOUT}/").words
    for said in ("30 s", "changed, factory: 60", "olga 60 → 30"):
        assert said in words
    assert words.count("→ 30") == 1, "the wish and what came of it are one"
    assert f"olga {TIMEOUT} 60 → 30" in page(installer, "/device-model/").words


def test_everybody_who_sets_something_is_in_the_history(installer: Client) -> None:
    at = {"at": LATELY}
    repositories.commit(
        [
            SaveVariable("TxCtrlr", "EVConnectionTimeOut", "30", old="60", by=SetBy.PROVISION, **at),
            SaveVariable("TxCtrlr", "EVConnectionTimeOut", "45", old="30", by=SetBy.CSMS, **at),
            SaveVariable("OCPPCommCtrlr", "HeartbeatInterval", "60", old="300", **at),
            SaveVariable("EVSE", "Power", "3680", "MaxLimit", evse_id=1, old="7360", by=SetBy.PROVISION, **at),
        ]
    )
    one = page(installer, f"/device-model/{TIMEOUT}/").words
    assert "The operator's system 30 → 45" in one
    assert "Set-up (provision) 60 → 30" in one
    assert "HeartbeatInterval" not in one
    both = page(installer, "/device-model/").words
    assert "The station itself OCPPCommCtrlr.HeartbeatInterval 300 → 60" in both
    assert "EVSE@1.Power MaxLimit 7360 → 3680" in both


def test_a_password_s_change_is_in_the_history_and_no_password(installer: Client) -> None:
    repositories.commit(
        [SaveVariable("SecurityCtrlr", "BasicAuthPassword", SECRET, old="never to be kept", by=SetBy.CSMS, at=LATELY)]
    )
    html = installer.get(f"/device-model/{PASSWORD}/").content.decode()
    assert "The operator&#x27;s system" in html
    assert "value not shown" in html
    [row] = VariableChange.objects.all()
    assert (row.old, row.new) == (None, None)


def test_a_refused_wish_stands_beside_what_was_changed(installer: Client) -> None:
    ask(installer, TIMEOUT, "30", headers=HTMX)
    repositories.commit([FinishCommand(Command.objects.get().pk, "Rejected", f"{TIMEOUT} cannot be set now")])
    assert "cannot be set now" in page(installer, f"/device-model/{TIMEOUT}/").words


def test_without_scripts(installer: Client) -> None:
    answer = ask(installer, "OCPPCommCtrlr.MessageAttempts[TransactionEvent]", "5")
    assert answer.status_code == 302
    assert "→ 5" in page(installer, answer.headers["Location"]).words
    assert Command.objects.get().arguments["variable_instance"] == "TransactionEvent"


def test_members_are_picked(installer: Client) -> None:
    name = "TxCtrlr.TxStartPoint"
    assert ask(installer, name, ["PowerPathClosed", "Authorized"], headers=HTMX).status_code == 200
    assert Command.objects.get().arguments["value"] == "PowerPathClosed,Authorized"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (TIMEOUT, "0", "This value must be at least 1."),
        (TIMEOUT, "soon", "This value must be a whole number"),
        (TIMEOUT, "", "This value must be a whole number"),
        ("AuthCtrlr.Enabled", "perhaps", 'must be "true" or "false"'),
        ("AuthCacheCtrlr.Policy", "LIFO", "must be one of LRU"),
        ("ClockCtrlr.TimeZone", "Moon/Base", "a time zone such as"),
        ("OCPPCommCtrlr.NetworkConfigurationPriority", "1,9", "is not one of 1, 2, 3."),
        ("ChargingStation.VendorName", "Me", "This value cannot be set."),
        (PASSWORD, "short", "at least 16 characters"),
    ],
)
@pytest.mark.parametrize("headers", [HTMX, {}])
def test_a_bad_value_is_refused_in_words(
    installer: Client, name: str, value: str, said: str, headers: dict[str, str]
) -> None:
    answer = ask(installer, name, value, headers=headers)
    assert answer.status_code == 422
    assert said in look(answer.content).words
    assert not Command.objects.exists()


def test_what_was_typed_is_still_there(installer: Client) -> None:
    answer = ask(installer, TIMEOUT, '9999"<')
    assert 'value="9999&quot;&lt;"' in answer.content.decode()


def test_refused_by_the_station_alone(installer: Client) -> None:
    """What needs more than the tables to judge comes back with the command."""
    ask(installer, "OCPPCommCtrlr.NetworkConfigurationPriority", "2", headers=HTMX)
    command = Command.objects.get()
    repositories.commit(
        [FinishCommand(command.pk, "Rejected", "OCPPCommCtrlr.NetworkConfigurationPriority slot 2 is empty")]
    )
    answer = installer.get(f"/commands/{command.pk}/", headers=HTMX)
    assert "slot 2 is empty" in look(answer.content).words
    assert answer.headers["HX-Trigger"] == "command-finished"


def test_a_predicate_and_a_sentence() -> None:
    assert describe.refusal("must not be empty") == "This value must not be empty."
    assert describe.refusal('"9" is not one of 1, 2') == '"9" is not one of 1, 2.'


# ------------------------------------------------------------------ secrets


def test_a_password_is_never_shown(installer: Client) -> None:
    address = f"/device-model/{PASSWORD}/"
    assert "not set" in page(installer, address).words
    repositories.commit([SaveVariable("SecurityCtrlr", "BasicAuthPassword", SECRET)])
    sealed = Variable.objects.get().value
    for shown in (address, "/device-model/", "/device-model/?show=changed"):
        html = installer.get(shown).content.decode()
        assert "set, never shown" in html
        assert SECRET not in html
        assert sealed not in html


@pytest.mark.parametrize("headers", [HTMX, {}])
def test_a_password_is_sealed_on_its_way(
    installer: Client, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    answer = ask(installer, PASSWORD, SECRET, headers=headers)
    command = Command.objects.get()
    assert command.arguments["value"].startswith("sealed:")
    [done] = repositories.filed_commands()
    assert done.arguments["value"] == SECRET
    waiting = installer.get(f"/device-model/{PASSWORD}/").content.decode()
    set_now = SaveVariable("SecurityCtrlr", "BasicAuthPassword", SECRET, by=SetBy.PERSON, who="olga", at=LATELY)
    repositories.commit([FinishCommand(command.pk, "Accepted", f"{PASSWORD} is set"), set_now])
    command.refresh_from_db()
    assert command.arguments["value"] == "****"
    finished = installer.get(f"/device-model/{PASSWORD}/").content.decode()
    for told in (answer.content.decode(), waiting, finished, caplog.text):
        assert SECRET not in told
        assert "sealed:" not in told
    assert "(value not shown)" in look(finished).words.replace("( ", "(").replace(" )", ")")


def test_a_refused_password_is_not_sent_back(installer: Client) -> None:
    assert "hunter2" not in ask(installer, PASSWORD, "hunter2").content.decode()
