"""The network's pages: what is shown, checked and filed, and what never leaves the station."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from station.domain.certificates import CertificateUse, StoredCertificate
from station.domain.diagnosis import Diagnosis, Outcome, SeenCertificate, Step, StepName
from station.domain.effects import Journal, Remember, SaveCertificate, SaveNetworkProfile, SaveVariable
from station.domain.network import NetworkProfile
from station.store import repositories
from station.store.models import Command
from tests.webui.looking import Looking, look
from tests.webui.making import NOON, station
from webui.dashboard import latest
from webui.network import doctor, live

SECRET = "correct horse battery"
SECURE = "wss://csms.example/ocpp"
TYPED = {
    "csms_url": SECURE,
    "security_profile": "2",
    "interface": "Wired0",
    "message_timeout": "30",
    "identity": "CP-1",
    "password": "",
}


@pytest.fixture(autouse=True)
def _keys(settings: Any, tmp_path: Any) -> None:
    settings.KEYS_DIR = tmp_path / "keys"


@pytest.fixture
def configured(installer: Client) -> Client:
    """Slot 1 is in use, slot 2 to fall back to, and a CSMS root is there."""
    installed = datetime(2025, 1, 1, tzinfo=UTC)
    repositories.commit(
        [
            SaveNetworkProfile(NetworkProfile(1, SECURE, 2)),
            SaveNetworkProfile(NetworkProfile(2, "ws://old.example/", 1)),
            SaveVariable("OCPPCommCtrlr", "NetworkConfigurationPriority", "1,2"),
            SaveVariable("SecurityCtrlr", "SecurityProfile", "2"),
            SaveVariable("SecurityCtrlr", "Identity", "CP-1"),
            SaveVariable("SecurityCtrlr", "BasicAuthPassword", SECRET),
            SaveCertificate(StoredCertificate("root", CertificateUse.CSMS_ROOT, ("-",), installed)),
        ]
    )
    return installer


def page(client: Client, address: str = "/network/", status: int = 200) -> Looking:
    answer = client.get(address)
    assert answer.status_code == status
    return look(answer.content)


def told(client: Client, address: str, typed: dict[str, Any]) -> str:
    """The words of the page that says what is wrong; nothing was filed."""
    answer = client.post(address, typed)
    assert answer.status_code == 422
    assert not Command.objects.exists()
    assert SECRET not in answer.content.decode()
    return look(answer.content).words


def filed(client: Client, address: str, typed: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Action and arguments as the station gets them."""
    answer = client.post(address, typed)
    row = Command.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/network/?asked={row.pk}")
    assert SECRET not in str(row.arguments)
    [command] = repositories.filed_commands()
    return command.action, dict(command.arguments)


# ------------------------------------------------------------------ who


@pytest.mark.parametrize("address", ["/network/", "/network/1/"])
def test_only_an_installer_sees_it(browser: Client, address: str) -> None:
    page(browser, address, 403)


@pytest.mark.parametrize(
    "address",
    [
        "/network/1/",
        "/network/1/check/",
        "/network/1/remove/",
        "/network/check/",
        "/network/credentials/",
        "/network/order/",
        "/network/take-back/",
    ],
)
def test_only_an_installer_changes_it(browser: Client, address: str) -> None:
    assert browser.post(address, TYPED).status_code == 403
    assert not Command.objects.exists()


# ------------------------------------------------------------------ what is shown


def test_slots_in_their_order(configured: Client) -> None:
    repositories.commit([SaveVariable("OCPPCommCtrlr", "NetworkConfigurationPriority", "2,1")])
    words = page(configured).words
    assert words.index("Slot 2 first") < words.index("Slot 1 number 2") < words.index("Slot 3 Empty.")
    assert SECRET not in words
    assert "A password is set; it is never shown." in words


def test_what_the_station_tells(configured: Client) -> None:
    assert "Asking the station" in page(configured).words
    latest.remember(station(slot=1, security_profile=2, csms_url=SECURE))
    words = page(configured).words
    assert "slot 1, security profile 2" in words
    assert "Slot 1 in use first" in words
    latest.remember(station(connected=False, trial_slot=1, trial_left=87))
    words = page(configured).words
    assert "Trying the new settings of slot 1: 87 s left" in words
    assert "Slot 1 being tried" in words


def test_what_happened(configured: Client) -> None:
    repositories.commit([Journal(NOON, "trial_taken_back", data={"what": "credentials", "why": "no_answer"})])
    assert "for the new identity or password did not work." in page(configured).words


FAILURE = {
    "slot": 1,
    "security_profile": 2,
    "cause": "csms_certificate",
    "detail": "it expired on 2025-01-01",
    "first": "2025-06-01T12:00:00Z",
    "last": "2025-06-01T12:05:00Z",
    "attempts": 7,
    "over": False,
}


def test_why_there_was_no_connection(configured: Client) -> None:
    assert "Every attempt to connect has succeeded so far." in page(configured).words
    older = {**FAILURE, "cause": "name", "over": True, "attempts": 1, "last": "2025-05-01T12:00:00Z"}
    repositories.commit([Remember("connection_failures", [FAILURE, older])])
    words = page(configured).words
    first = words.index("The certificate of the operator's server is not trusted here. it expired on 2025-01-01")
    assert first < words.index("The name of the operator's server is not known.")
    assert "Slot 1, 7 times, last 1 Jun" in words
    assert "connected since" in words


@pytest.mark.parametrize("kept", [1, {}, ["x"], [{}], [{**FAILURE, "first": "yesterday"}], [{**FAILURE, "slot": None}]])
def test_failures_that_cannot_be_read_are_left_out(configured: Client, kept: Any) -> None:
    repositories.commit([Remember("connection_failures", kept)])
    assert "Every attempt to connect has succeeded so far." in page(configured).words


def test_a_station_without_an_operator(installer: Client) -> None:
    assert "Slot 1 Empty." in page(installer).words
    words = page(installer, "/network/1/").words
    assert "No operator's system is configured yet." in words
    assert "Keep it even if" not in words


@pytest.mark.parametrize("asked", ["x", "", "99999999999999999999", "7", "-1"])
def test_a_command_that_is_not_there_is_not_followed(configured: Client, asked: str) -> None:
    page(configured, f"/network/?asked={asked}")


@pytest.mark.parametrize("slot", [0, 4, 99999])
def test_no_such_slot(configured: Client, slot: int) -> None:
    page(configured, f"/network/{slot}/", 404)
    assert configured.post(f"/network/{slot}/", TYPED).status_code == 404
    assert configured.post(f"/network/{slot}/remove/").status_code == 404


def test_hostile_words_of_the_station_are_only_text() -> None:
    html = live.now(station(connected=False, link_note="<script>alert(1)</script>", identity='"><b>'))
    assert "<script>" not in html
    assert "<b>" not in look(html).text


# ------------------------------------------------------------------ the connection doctor

SHOWN = SeenCertificate(
    "CN=csms.example",
    "CN=Some CA",
    "2024-01-01T00:00:00Z",
    "2025-01-01T00:00:00Z",
    -151,
    "EC 256",
    ("csms.example",),
)


def step(name: str, outcome: str = "passed", advice: str = "", certificates: tuple[Any, ...] = ()) -> Step:
    return Step(StepName(name), Outcome(outcome), 0.123, f"{name} says so.", advice, None, certificates)


def diagnosis(*steps: Step, over: bool = False) -> dict[str, Any]:
    """As the station tells it."""
    return Diagnosis("d", SECURE, 2, 1, "2025-06-01T12:00:00Z", steps, over).as_json()


FAILED = step("tls", "failed", "Ask for a new one.", (SHOWN,))
EXPIRED = diagnosis(step("configuration"), step("name"), step("tcp"), FAILED, over=True)


def test_the_last_diagnosis_stays_on_the_page(configured: Client) -> None:
    assert "Walks to the operator's system step by step" in page(configured).words
    repositories.commit([Remember("connection_diagnosis", EXPIRED)])
    for address in ("/network/", "/network/1/"):
        words = page(configured, address).words
        assert "tls says so. Ask for a new one." in words
        assert "Way to the server (TCP) 0.12 s" in words
        assert "CN=csms.example expired issued by CN=Some CA, until 2025-01-01, key EC 256, for csms.example" in words


def test_steps_appear_as_they_are_taken() -> None:
    seen = doctor.read(diagnosis(step("configuration"), step("name")))
    assert seen is not None
    assert [(one.outcome, one.running) for one in seen.steps] == [
        ("passed", False),
        ("passed", False),
        ("", True),
        *[("", False)] * 4,
    ]
    assert (seen.verdict, seen.advice, seen.over) == ("", "", False)
    words = look(live.doctor(seen)).words
    assert "Way to the server (TCP) looking …" in words


def test_the_live_diagnosis_goes_first(configured: Client) -> None:
    repositories.commit([Remember("connection_diagnosis", EXPIRED)])
    latest.remember(station(diagnosis=diagnosis(step("configuration"))))
    words = page(configured).words
    assert "tls says so." not in words
    assert "looking …" in words


@pytest.mark.parametrize(
    ("steps", "tone"),
    [((step("boot"),), "good"), ((step("boot", "warned", "Wait."),), "wait"), ((FAILED,), "bad")],
)
def test_a_verdict_has_the_tone_of_its_worst_step(steps: tuple[Step, ...], tone: str) -> None:
    seen = doctor.read(diagnosis(*steps, over=True))
    assert seen is not None
    assert seen.tone == tone
    assert seen.verdict


@pytest.mark.parametrize("told", [None, 1, [], {}, {**EXPIRED, "steps": [{}]}, {**EXPIRED, "begun": "yesterday"}])
def test_a_diagnosis_that_cannot_be_read_is_none(configured: Client, told: Any) -> None:
    assert doctor.read(told) is None
    repositories.commit([Remember("connection_diagnosis", told)])
    page(configured)


def test_a_step_of_another_version_is_shown_too() -> None:
    told = diagnosis(step("boot"), over=True)
    odd = {**told["steps"][0], "name": "ipv9", "outcome": "odd"}
    assert doctor.read({**told, "steps": [odd]}) is not None


def test_every_step_has_words() -> None:
    assert set(doctor._STEPS) == set(StepName)
    assert set(doctor._TONES) == set(Outcome)


def test_the_doctor_is_sent_for(configured: Client) -> None:
    answer = configured.post("/network/1/check/", headers={"HX-Request": "true"})
    assert "Sent to the station" in look(answer.content).words
    assert Command.objects.get().arguments == {"slot": 1}
    assert configured.post("/network/4/check/").status_code == 404


def test_what_is_not_saved_is_checked_without_its_password(configured: Client) -> None:
    configured.post("/network/check/", {**TYPED, "csms_url": "wss://new/", "password": SECRET})
    command = Command.objects.get()
    assert command.action == "diagnose_connection"
    assert command.arguments == {"csms_url": "wss://new/", "security_profile": 2}


@pytest.mark.parametrize("changes", [{"csms_url": "x"}, {"security_profile": "1"}, {"security_profile": "x"}])
def test_what_cannot_be_checked(configured: Client, changes: dict[str, str]) -> None:
    answer = configured.post("/network/check/", {**TYPED, **changes})
    assert answer.status_code == 422
    assert look(answer.content).words
    assert not Command.objects.exists()


# ------------------------------------------------------------------ a slot


def test_the_form_knows_what_is_stored(configured: Client) -> None:
    html = configured.get("/network/1/").content.decode()
    assert f'value="{SECURE}"' in html
    assert 'value="CP-1"' in html
    assert SECRET not in html


def test_a_slot_is_filed(configured: Client) -> None:
    action, arguments = filed(configured, "/network/1/", {**TYPED, "csms_url": "wss://new/", "password": SECRET})
    assert action == "set_network_profile"
    assert arguments == {
        "slot": 1,
        "csms_url": "wss://new/",
        "security_profile": 2,
        "interface": "Wired0",
        "message_timeout": 30,
        "identity": "CP-1",
        "password": SECRET,
        "keep": False,
        "less_security": False,
    }


def test_identity_and_password_are_asked_for_with_the_slot_in_use_only(configured: Client) -> None:
    _, arguments = filed(configured, "/network/2/", {**TYPED, "password": SECRET})
    assert not {"identity", "password", "keep"} & set(arguments)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"csms_url": ""}, "This field is required."),
        ({"csms_url": "http://csms.example/"}, "begins neither with ws:// nor with wss://."),
        ({"csms_url": "wss://user:secret@csms.example/"}, "must not hold a user name or password"),
        ({"csms_url": "wss://csms.example/\x7f"}, "must be ASCII without spaces."),
        ({"csms_url": "wss://csms.example/" + "x" * 512}, "at most 512 characters"),
        ({"csms_url": "ws://csms.example/"}, "Security profile 2 needs wss://."),
        ({"security_profile": "3"}, "The station needs a certificate of its own first"),
        ({"security_profile": "4"}, "4 is not one of the available choices."),
        ({"security_profile": "1", "csms_url": "ws://csms.example/"}, "Security profile 2 is in use."),
        ({"interface": "Wired3"}, "Wired3 is not one of the available choices."),
        ({"message_timeout": "0"}, "greater than or equal to 1."),
        ({"message_timeout": "3601"}, "less than or equal to 3600."),
        ({"message_timeout": "1e3"}, "Enter a whole number."),
        ({"identity": "two words"}, "This value"),
        ({"identity": "x" * 49}, "at most 48 characters"),
        ({"password": SECRET[:15]}, "16"),
        ({"password": SECRET * 2}, "40"),
        ({"password": SECRET, "csms_url": ""}, "This field is required."),
    ],
)
def test_what_will_not_do_is_said_at_its_field(configured: Client, changes: dict[str, str], said: str) -> None:
    assert said in told(configured, "/network/1/", {**TYPED, **changes})


def test_less_security_has_to_be_meant(configured: Client) -> None:
    lower = {**TYPED, "security_profile": "1", "csms_url": "ws://csms.example/"}
    assert "I know that this is less secure" not in page(configured, "/network/1/").words
    assert "I know that this is less secure" in told(configured, "/network/1/", lower)
    _, arguments = filed(configured, "/network/1/", {**lower, "less_security": "on"})
    assert arguments["less_security"] is True


def test_a_root_certificate_comes_first(installer: Client) -> None:
    said = told(installer, "/network/1/", TYPED)
    assert "Install the root certificate of the operator's system first" in said


# ------------------------------------------------------------------ order, credentials, removal


def test_an_order_is_filed(configured: Client) -> None:
    arguments = {"place_1": "2", "place_2": "1"}
    assert filed(configured, "/network/order/", arguments) == ("set_network_priority", {"slots": [2, 1]})


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ({"place_1": "1", "place_2": "1"}, "Each slot can be named once."),
        ({"place_1": "", "place_2": "1"}, "This field is required."),
        ({"place_1": "3", "place_2": ""}, "3 is not one of the available choices."),
    ],
)
def test_an_order_that_will_not_do(configured: Client, order: dict[str, str], said: str) -> None:
    assert said in told(configured, "/network/order/", order)


def test_credentials_are_filed(configured: Client) -> None:
    typed = {"identity": "CP-2", "password": SECRET}
    expected = {**typed, "keep": False}
    assert filed(configured, "/network/credentials/", typed) == ("set_credentials", expected)


def test_credentials_that_will_not_do(configured: Client) -> None:
    assert "16" in told(configured, "/network/credentials/", {"identity": "CP-2", "password": "short"})


def test_removal_and_taking_back_are_filed(configured: Client) -> None:
    assert filed(configured, "/network/2/remove/", {}) == ("remove_network_profile", {"slot": 2})
    Command.objects.all().delete()
    assert filed(configured, "/network/take-back/", {}) == ("take_back", {})


def test_the_only_slot_cannot_be_removed_here(installer: Client) -> None:
    repositories.commit([SaveNetworkProfile(NetworkProfile(1, SECURE, 2))])
    assert "Remove" not in page(installer).words
