"""Commissioning: each step's page, what is kept and filed, what is refused, and two people at it."""

from __future__ import annotations

import copy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pypdf import PdfReader

from station.domain.effects import Remember, SaveNetworkProfile, SaveVariable
from station.domain.network import NetworkProfile
from station.store import repositories
from station.store.models import Command, Transaction, Variable
from tests.webui.looking import Looking, look
from tests.webui.making import CARD, free, station
from webui.commissioning import addresses, codes, offer, paper, record, steps
from webui.commissioning.models import Commissioning
from webui.dashboard import latest
from webui.owner.models import Settings
from webui.work import doing
from webui.work.models import Job

HOSTILE = "<script>alert(1)</script>{{ 7|add:7 }}"
ENGINEERING = {
    "board": {"firmware": "reference-1.0", "map_version": 2, "boot_count": 3, "reset_cause": "PowerOn"},
    "1": {"cable_limit": 32.0, "board_test": "Passed"},
    "2": {"cable_limit": 20.0, "board_test": "Passed"},
}
PLACE = {
    "language": "en",
    "site": "North car park",
    "address": "Harbour Street 1\nBergen",
    "time_zone": "Europe/Oslo",
    "serial_number": "WS-0001",
    "revision": "0",
}
ELECTRICAL = {
    "voltage": "230",
    "fuse": "40",
    "phases": "1",
    "current_1": "20",
    "phases_1": "1",
    "rotation_1": "Rxx",
    "current_2": "16",
    "phases_2": "1",
    "rotation_2": "Rxx",
    "revision": "0",
}
SIGN = {
    "name": "Ina Installer",
    "company": "Power & Sons",
    "remarks": "All well.\nNothing left.",
    "address": "https://192.0.2.7:8443/",
    "responsible": "on",
    "revision": "0",
}


@pytest.fixture(autouse=True)
def _folders(settings: Any, tmp_path: Path) -> None:
    settings.KEYS_DIR = tmp_path / "keys"
    settings.DATA_DIR = tmp_path


def live(**changes: Any) -> None:
    """The station says that all is well, or what ``changes`` have it say."""
    evses = [free(number, voltage=(230.4, 0.0, 0.0), temperature=24.0) for number in (1, 2)]
    latest.remember(station(*evses, **{"engineering": copy.deepcopy(ENGINEERING), "slot": 1, **changes}))


@pytest.fixture
def begun(installer: Client) -> Client:
    live()
    assert installer.post("/commissioning/begin/").status_code == 302
    return installer


def page(client: Client, name: str = "", status: int = 200) -> Looking:
    answer = client.get(f"/commissioning/{name}/" if name else "/commissioning/")
    assert answer.status_code == status
    return look(answer.content)


def post(client: Client, name: str, typed: dict[str, Any], status: int = 302) -> str:
    answer = client.post(f"/commissioning/{name}/", typed)
    assert answer.status_code == status, look(answer.content).words
    return answer.headers["Location"] if status == 302 else look(answer.content).words


def obey(status: str = "Accepted", message: str = "Kept.") -> None:
    """The station does what was filed."""
    Command.objects.filter(status="Filed").update(status=status, message=message)


def state(name: str) -> str:
    return steps.step(steps.settle(Commissioning.objects.latest("pk")), name).status


def had_tests(outcome: str = "Passed", ago: float = -1.0) -> None:
    at = (timezone.now() - timedelta(seconds=ago)).isoformat().replace("+00:00", "Z")
    told = {"at": at, "outcome": outcome, "who": "olga"}
    repositories.commit([Remember("self_tests", {"1": told, "2": told})])


def charged(evse_id: int, **changes: Any) -> None:
    now = timezone.now() + timedelta(seconds=1)
    fields: dict[str, Any] = {
        "transaction_id": f"charge-{evse_id}",
        "evse_id": evse_id,
        "started_at": now,
        "ended_at": now + timedelta(seconds=9),
        "active": False,
        "id_token": CARD,
        "id_token_type": "ISO14443",
        "energy": 4200,
        "stopped_reason": "Local",
    }
    Transaction.objects.create(**{**fields, **changes})


# ------------------------------------------------------------------ who, and whether at all


ADDRESSES = ["/commissioning/", *(f"/commissioning/{name}/" for name in steps.NAMES), "/commissioning/signed/1/"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_only_an_installer_sees_it(browser: Client, address: str) -> None:
    assert browser.get(address).status_code == 403
    assert Client().get(address).status_code == 302


@pytest.mark.parametrize(
    "address", ["/commissioning/begin/", "/commissioning/place/", "/commissioning/signed/1/label/"]
)
def test_only_an_installer_does_it(browser: Client, address: str) -> None:
    assert browser.post(address, PLACE).status_code == 403
    assert not Commissioning.objects.exists()


def test_a_station_that_nobody_has_set_up_says_so_to_installers(installer: Client, person: User) -> None:
    assert "This station is not set up yet." in look(installer.get("/").content).words
    installer.post("/commissioning/begin/")
    assert "Commissioning is under way." in look(installer.get("/").content).words
    Commissioning.objects.all().delete()
    repositories.commit([SaveNetworkProfile(NetworkProfile(1, "ws://x.example/", 1))])
    assert not offer.not_set_up()
    assert "set up yet" not in look(installer.get("/").content).words


def test_owners_are_not_bothered(browser: Client) -> None:
    assert "set up yet" not in look(browser.get("/").content).words


def test_two_who_begin_are_at_the_same_one_and_anew_is_another(begun: Client) -> None:
    begun.post("/commissioning/begin/")
    assert Commissioning.objects.count() == 1
    begun.post("/commissioning/begin/", {"anew": "1"})
    assert [one.is_open for one in Commissioning.objects.all()] == [True, False]


def test_without_a_beginning_a_step_leads_to_it(installer: Client) -> None:
    assert installer.get("/commissioning/place/").headers["Location"] == "/commissioning/"
    assert installer.post("/commissioning/place/", PLACE).headers["Location"] == "/commissioning/"


@pytest.mark.parametrize("name", steps.NAMES)
@pytest.mark.parametrize("heard", [True, False])
def test_every_step_has_its_page(begun: Client, name: str, heard: bool) -> None:
    if not heard:
        latest.forget()
    words = page(begun, name).words
    assert str(steps.TITLES[name]) in words


def test_no_such_step(begun: Client) -> None:
    page(begun, "nonsense", 404)
    assert begun.post("/commissioning/nonsense/", {}).status_code == 404
    assert begun.post("/commissioning/place/", {"do": "skip", "reason": "x", "revision": "0"}).status_code == 404


# ------------------------------------------------------------------ the steps


def test_place_is_kept_and_the_station_told(begun: Client) -> None:
    assert post(begun, "place", PLACE) == "/commissioning/place/"
    [command] = repositories.filed_commands()
    assert command.action == "set_installation"
    assert command.arguments["variables"] == {
        "ClockCtrlr.TimeZone": "Europe/Oslo",
        "ChargingStation.SerialNumber": "WS-0001",
    }
    assert state("place") == "working"
    assert "The station is asked" in page(begun, "place").words
    obey()
    assert state("place") == "done"
    assert "Continue: Electrical data" in page(begun, "place").words


def test_the_place_is_told_to_the_owners_settings_unless_they_were_made(begun: Client) -> None:
    post(begun, "place", {**PLACE, "language": "de"})
    kept = Settings.objects.get()
    assert (kept.language, kept.place, kept.serial) == ("de", "North car park", 1)
    post(begun, "place", {**PLACE, "site": "South", "revision": "2"})
    assert Settings.objects.get().place == "North car park"


def test_what_the_station_refuses_is_a_failed_step(begun: Client) -> None:
    post(begun, "place", PLACE)
    obey("Rejected", "The station would not.")
    assert state("place") == "failed"
    words = page(begun, "place").words
    assert "The station would not." in words
    assert "North car park" in str(begun.get("/commissioning/place/").content), "what was typed is still there"


@pytest.mark.parametrize(
    "wrong",
    [
        {"language": "xx"},
        {"site": ""},
        {"site": "x" * 81},
        {"site": "a\x00b"},
        {"address": "x" * 301},
        {"time_zone": "Nowhere/At-All"},
        {"time_zone": "../../etc/passwd"},
        {"time_zone": HOSTILE},
        {"serial_number": "x" * 26},
        {"serial_number": "tab\tin it"},
        {"revision": "x"},
        {"revision": ""},
        {"revision": "-1"},
    ],
)
def test_a_bad_place_is_named_and_nothing_typed_is_lost(begun: Client, wrong: dict[str, str]) -> None:
    words = post(begun, "place", {**PLACE, **wrong, "company": HOSTILE}, 422)
    assert "alert" not in words.replace(HOSTILE, "")
    assert not Command.objects.exists()
    assert state("place") == "open"


def test_hostile_words_are_only_text(begun: Client) -> None:
    post(begun, "place", {**PLACE, "site": HOSTILE, "address": HOSTILE})
    obey()
    answer = begun.get("/commissioning/place/").content.decode()
    assert "<script>alert" not in answer
    assert "14" not in look(answer).words.partition("Address")[2][:40]


def test_electrical_data_become_variables(begun: Client) -> None:
    post(begun, "electrical", ELECTRICAL)
    [command] = repositories.filed_commands()
    variables = command.arguments["variables"]
    assert variables["ElectricalFeed.FuseRating"] == "40"
    assert variables["EVSE@1.Power"] == "4600"
    assert variables["Connector@2.1.SupplyPhases"] == "1"
    obey()
    assert state("electrical") == "done"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"fuse": "35"}, "A fuse of 35 A is too small: all EVSEs together may draw 36 A from L1."),
        ({"current_2": "21"}, "21 A are too much; cable and board carry 20 A."),
        ({"rotation_1": "RST"}, "This does not fit the phases that are connected (1)."),
        ({"rotation_2": "Sxx"}, "This needs L2, and the supply has only L1."),
        ({"voltage": "12"}, "at least 100"),
        ({"voltage": "nan"}, "Enter a number."),
        ({"voltage": "1e400"}, ""),
        ({"fuse": ""}, "This field is required."),
        ({"fuse": "5"}, "greater than or equal to 6"),
        ({"fuse": "63.123"}, "decimal place"),
        ({"fuse": HOSTILE}, "Enter a number."),
        ({"phases": "2"}, "Select a valid choice"),
        ({"phases_1": "3"}, "This does not fit"),
        ({"current_1": "-6"}, "greater than or equal to 6"),
        ({"rotation_1": "XYZ"}, "Select a valid choice"),
    ],
)
def test_electrical_data_that_do_not_fit(begun: Client, wrong: dict[str, str], said: str) -> None:
    assert said in post(begun, "electrical", {**ELECTRICAL, **wrong}, 422)
    assert not Command.objects.exists()


def test_the_board_is_looked_at_and_tested(begun: Client) -> None:
    assert "not run yet" in page(begun, "board").words
    assert "Run the self-test first" in post(begun, "board", {"do": "keep"}, 422)
    post(begun, "board", {"do": "test"})
    assert [(row.action, row.arguments["evse_id"]) for row in Command.objects.order_by("pk")] == [
        ("self_test", 1),
        ("self_test", 2),
    ]
    had_tests()
    assert page(begun, "board").words.count("passed") == 2
    assert post(begun, "board", {"do": "keep"}) == "/commissioning/place/", "to the first that is open"
    assert state("board") == "done"
    kept = Commissioning.objects.get().steps["board"]["values"]
    assert kept["board"]["firmware"] == "reference-1.0"
    assert ["Voltage of L1", "230.4 V", "good"] in kept["evses"][0]["checks"]


@pytest.mark.parametrize("case", ["old", "failed", "fault", "voltage", "offline", "unheard"])
def test_a_board_that_is_not_well_is_not_kept(begun: Client, case: str) -> None:
    had_tests("Failed" if case == "failed" else "Passed", ago=3600 if case == "old" else -1)
    if case == "fault":
        latest.remember(station(free(1, faults=("GroundFailure",), voltage=(230.0, 0.0, 0.0)), free(2)))
    elif case == "voltage":
        latest.remember(station(free(1, voltage=(190.0, 0.0, 0.0)), free(2, voltage=(230.0, 0.0, 0.0))))
    elif case == "offline":
        live(board_online=False, board_error="no answer")
    elif case == "unheard":
        latest.forget()
    post(begun, "board", {"do": "keep"}, 422)
    assert state("board") == "open"


def test_the_network_is_as_it_is_found(begun: Client) -> None:
    post(begun, "network", {"do": "keep"})
    kept = Commissioning.objects.get().steps["network"]["values"]
    assert kept["host"] == addresses.host_name()
    assert kept["address"] == "http://testserver/"


TYPED = {
    "csms_url": "ws://csms.example/ocpp",
    "security_profile": "1",
    "identity": "CP-1",
    "password": "correct horse battery",
    "interface": "Wired0",
    "message_timeout": "30",
}


def test_the_operators_system_is_set_and_kept_once_it_accepts(begun: Client) -> None:
    post(begun, "csms", TYPED)
    [command] = repositories.filed_commands()
    assert (command.action, command.arguments["slot"]) == ("set_network_profile", 1)
    assert "correct horse" not in str(Command.objects.get().arguments)
    assert "has not accepted the station yet" in post(begun, "csms", {"do": "keep"}, 422), "that is the demonstration's"
    repositories.commit([SaveNetworkProfile(NetworkProfile(1, "ws://csms.example/ocpp", 1))])
    live(registration="Pending")
    post(begun, "csms", {"do": "keep"}, 422)
    live(trial_left=10)
    post(begun, "csms", {"do": "keep"}, 422)
    Variable.objects.create(component="SecurityCtrlr", variable="Identity", value="CP-1")
    for before in ({"csms_url": "ws://127.0.0.1:1"}, {"identity": "DEMO"}):
        live(**{"csms_url": "ws://csms.example/ocpp", "identity": "CP-1", **before})
        post(begun, "csms", {"do": "keep"}, 422)  # the last connection still stands
    live(csms_url="ws://csms.example/ocpp", identity="CP-1")
    assert "Keep this connection" in page(begun, "csms").words
    post(begun, "csms", {"do": "keep"})
    assert state("csms") == "done"


@pytest.mark.parametrize(
    "wrong", [{"csms_url": "http://x"}, {"csms_url": HOSTILE}, {"security_profile": "9"}, {"password": "short"}]
)
def test_a_bad_address_of_the_operators_system(begun: Client, wrong: dict[str, str]) -> None:
    words = post(begun, "csms", {**TYPED, **wrong}, 422)
    assert "correct horse" not in words
    assert not Command.objects.exists()


def test_a_test_charge_is_ticked_by_what_the_station_saw(begun: Client) -> None:
    charged(1, transaction_id="before", started_at=timezone.now() - timedelta(hours=1))
    post(begun, "charge", {"do": "begin-1"})
    words = page(begun, "charge").words
    assert words.count(": seen") == 0, "a session from before does not count"
    post(begun, "charge", {"do": "begin-2"})
    charged(1)
    charged(2, ended_at=None, active=True, energy=0)
    words = page(begun, "charge").words
    assert words.count(": seen") == 4 + 2
    assert "EVSE 2 is not complete" in post(begun, "charge", {"do": "keep"}, 422)
    Transaction.objects.filter(transaction_id="charge-2").update(ended_at=timezone.now(), energy=1500)
    post(begun, "charge", {"do": "keep"})
    kept = Commissioning.objects.get().steps["charge"]["values"]["evses"]
    assert (kept["1"]["energy"], kept["2"]["energy"], kept["1"]["reason"]) == (4.2, 1.5, "Local")
    assert CARD not in str(kept), "whose card it was is nobody's business on paper"


@pytest.mark.parametrize("do", ["begin-9", "begin-", "begin-1x", "nonsense"])
def test_a_test_charge_that_cannot_be(begun: Client, do: str) -> None:
    post(begun, "charge", {"do": do}, 422)


@pytest.mark.parametrize("name", sorted(steps.OPTIONAL))
def test_some_steps_may_be_left_out_with_a_reason(begun: Client, name: str) -> None:
    post(begun, name, {"do": "skip", "reason": "", "revision": "0"}, 422)
    post(begun, name, {"do": "skip", "reason": "x" * 201, "revision": "0"}, 422)
    post(begun, name, {"do": "skip", "reason": HOSTILE, "revision": "0"})
    assert state(name) == "skipped"
    assert "<script>alert" not in begun.get(f"/commissioning/{name}/").content.decode()


# ------------------------------------------------------------------ two people


def test_who_is_second_loses_nothing_and_sees_what_the_first_has_kept(begun: Client) -> None:
    User.objects.create_user("ben", password="a long enough word", is_staff=True)
    other = Client()
    other.login(username="ben", password="a long enough word")
    post(begun, "place", PLACE)
    obey()
    assert "olga" in page(other).words
    words = post(other, "place", {**PLACE, "site": "South"}, 409)
    assert "olga has saved this step meanwhile." in words
    assert "North car park" in words
    assert Command.objects.count() == 1, "nothing half done"
    answer = other.post("/commissioning/place/", {**PLACE, "site": "South"}).content.decode()
    assert 'value="South"' in answer
    assert 'name="revision" value="2"' in answer
    post(other, "place", {**PLACE, "site": "South", "revision": "2"})
    assert Commissioning.objects.get().steps["place"]["values"]["site"] == "South"


def test_different_steps_do_not_hinder_each_other(begun: Client) -> None:
    post(begun, "place", PLACE)
    post(begun, "electrical", ELECTRICAL)
    obey()
    assert (state("place"), state("electrical")) == ("done", "done")


# ------------------------------------------------------------------ sign-off and papers


@pytest.fixture
def ready(begun: Client) -> Client:
    """All is done but the signature."""
    post(begun, "place", {**PLACE, "site": "North \U0001f697 <b>car</b> park"})
    post(begun, "electrical", ELECTRICAL)
    obey()
    repositories.commit(
        [
            SaveVariable("ElectricalFeed", "FuseRating", "40"),
            SaveVariable("SecurityCtrlr", "Identity", "CP.1|*"),
            SaveVariable("SecurityCtrlr", "BasicAuthPassword", "correct horse battery"),
            SaveVariable("EVSE", "PhaseRotation", "Rxx", evse_id=1),
        ]
    )
    had_tests()
    post(begun, "board", {"do": "keep"})
    for name in ("network", "cards"):
        post(begun, name, {"do": "keep"})
    post(begun, "csms", {"do": "skip", "reason": "Not ready before June", "revision": "0"})
    for number in (1, 2):
        post(begun, "charge", {"do": f"begin-{number}"})
        charged(number)
    post(begun, "charge", {"do": "keep"})
    return begun


def test_it_cannot_be_signed_before_all_is_over(begun: Client) -> None:
    words = post(begun, "sign", SIGN, 422)
    assert "It cannot be signed yet. Open are: Language and place" in words
    assert not Commissioning.objects.filter(signed_at__isnull=False).exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "x" * 81},
        {"remarks": "x" * 2001},
        {"address": "javascript:alert(1)"},
        {"address": "https://"},
        {"address": "https://user:pass@x/"},
        {"address": "https://x/ y"},
        {"address": "https://x:99999/"},
        {"address": "https://ä.example/"},
        {"address": 'https://x/"><b>'},
        {"responsible": ""},
    ],
)
def test_a_bad_signature(ready: Client, wrong: dict[str, str]) -> None:
    post(ready, "sign", {**SIGN, **wrong}, 422)
    assert Commissioning.objects.get().is_open


def signed(client: Client) -> Commissioning:
    location = post(client, "sign", SIGN)
    found = Commissioning.objects.get()
    assert location == f"/commissioning/signed/{found.pk}/"
    return found


def test_what_is_signed_stays_as_it_is(ready: Client) -> None:
    found = signed(ready)
    assert (found.is_open, found.signed_by) == (False, "olga")
    words = look(ready.get(f"/commissioning/signed/{found.pk}/").content).words
    assert "The record is as it was signed." in words
    assert ready.post("/commissioning/sign/", SIGN).headers["Location"] == "/commissioning/", "once is enough"
    found.protocol["station"]["serial_number"] = "another"
    found.save()
    words = look(ready.get(f"/commissioning/signed/{found.pk}/").content).words
    assert "its checksum differs" in words


def test_secrets_are_not_in_the_record(ready: Client) -> None:
    told = signed(ready).protocol
    assert "correct horse" not in str(told)
    assert ["ElectricalFeed.FuseRating", "40", "A"] in told["settings"]
    assert told["digest"] == record.digest(told)


def made(client: Client, kind: str) -> tuple[str, str, int]:
    """File name, text and pages of a paper, made as the process for long work makes it."""
    found = Commissioning.objects.get()
    answer = client.post(f"/commissioning/signed/{found.pk}/{kind}/")
    job = Job.objects.latest("created")
    assert answer.headers["Location"] == f"/work/{job.pk}/"
    doing.do(job)
    job.refresh_from_db()
    assert job.status == Job.Status.DONE, job.message
    reader = PdfReader(doing.Work(job).path)
    return job.file, " ".join(" ".join(one.extract_text() for one in reader.pages).split()), len(reader.pages)


def test_the_protocol_on_paper(ready: Client) -> None:
    signed(ready)
    name, text, pages = made(ready, "protocol")
    assert name.startswith("CP-1---")
    assert name.endswith("-protocol.pdf")
    assert pages <= 4
    for part in (
        "Commissioning protocol",
        "North ? <b>car</b> park",
        "fuse 40 A",
        "reference-1.0",
        "Self-test passed ok",
        "Voltage of L1 230.4 V ok",
        "left out Remark Not ready before June",
        "4.2 Wh",
        "Stopped at the station",
        "Ina Installer, Power & Sons",
        "Nothing left.",
        "https://192.0.2.7:8443/",
        str(Commissioning.objects.get().protocol["digest"]),
    ):
        assert part in text, part


def test_the_protocol_in_the_language_that_was_chosen(ready: Client) -> None:
    found = Commissioning.objects.get()
    found.steps["place"]["values"]["language"] = "de"
    found.save()
    signed(ready)
    made(ready, "protocol")
    assert Job.objects.latest("created").language == "de"


def test_the_label(ready: Client) -> None:
    signed(ready)
    name, text, pages = made(ready, "label")
    assert name.endswith("-label.pdf")
    assert pages == 1
    for part in ("CP.1|*", "OpenStation WebStation", "https://192.0.2.7:8443/"):
        assert part in text


@pytest.mark.parametrize("address", ["/commissioning/signed/99/", "/commissioning/signed/1/"])
def test_no_such_protocol(begun: Client, address: str) -> None:
    assert begun.get(address).status_code == 404
    assert begun.post(f"{address}protocol/").status_code == 404


def test_no_such_paper(ready: Client) -> None:
    found = signed(ready)
    assert ready.post(f"/commissioning/signed/{found.pk}/poster/").status_code == 404


class Squares:
    """Paper that remembers where it is dark."""

    def __init__(self, size: int) -> None:
        self.dark = [[False] * size for _ in range(size)]
        self._black = False

    def setFillColorRGB(self, red: float, green: float, blue: float) -> None:
        self._black = red == 0

    def rect(self, x: float, y: float, width: float, height: float, **_: Any) -> None:
        for row in range(round(y), round(y + height)):
            for column in range(round(x), round(x + width)):
                self.dark[row][column] = self._black


def test_the_code_is_the_same_on_paper_as_on_the_screen() -> None:
    matrix = codes.matrix("https://192.0.2.7:8443/")
    size = len(matrix) + 2 * codes.BORDER
    squares = Squares(size)
    paper.draw_code(squares, matrix, 0, 0, size)
    upright = squares.dark[::-1]
    inner = [row[codes.BORDER : -codes.BORDER] for row in upright[codes.BORDER : -codes.BORDER]]
    assert inner == matrix
    svg = codes.svg("https://192.0.2.7:8443/")
    assert svg.count("h1v1h-1z") == sum(map(sum, matrix))


def test_a_code_says_what_it_is_for_harmlessly() -> None:
    assert "<b>" not in codes.svg('"><b>')
    assert codes.svg("") == ""
