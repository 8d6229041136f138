"""The rules, on every request."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from station.store.models import Command
from tests.webui.access.conftest import PASSWORD, Clock
from tests.webui.access.machines import NEIGHBOUR, OWN, STRANGER, VPN_HOST
from tests.webui.looking import look
from webui.access import rules
from webui.access.models import Setting, Trial
from webui.access.origin import Place
from webui.access.rules import Rules
from webui.accounts import tokens
from webui.accounts.roles import Role

pytestmark = pytest.mark.django_db
ADDRESSES = {Place.STATION: OWN, Place.LOCAL: NEIGHBOUR, Place.VPN: VPN_HOST, Place.ELSEWHERE: STRANGER}
LOCAL_ONLY, VPN_ONLY = frozenset({Place.LOCAL}), frozenset({Place.VPN})
MIXED = Rules(
    {Role.OWNER: frozenset({Place.LOCAL, Place.ELSEWHERE}), Role.INSTALLER: LOCAL_ONLY, Role.ADMINISTRATOR: VPN_ONLY}
)


def form(mode: str = "own", sites: str = "", **ticks: str) -> dict[str, str]:
    """The form; ``owner="local vpn"`` ticks these two."""
    chosen = {f"{role}-{place}": "on" for role, places in ticks.items() for place in places.split()}
    return {"mode": mode, "sites": sites, **chosen}


@pytest.mark.parametrize("chosen", [Rules(), MIXED], ids=["delivered", "mixed"])
@pytest.mark.parametrize("place", Place)
@pytest.mark.parametrize("role", Role)
def test_each_role_from_each_place(client_from: Any, chosen: Rules, role: Role, place: Place) -> None:
    rules.put(chosen)
    may = place is Place.STATION or place in chosen.places[role]
    client = client_from(ADDRESSES[place], role)
    for path in ("/", "/sessions/", "/commands/77/", "/nowhere/"):
        assert (client.get(path).status_code == 403) is not may, path


def test_as_delivered_nobody_comes_from_elsewhere_and_not_even_a_password_can_be_tried(
    client_from: Any, somebody: Any
) -> None:
    somebody(Role.OWNER)
    stranger = client_from(STRANGER, None)
    answer = stranger.get("/login/")
    assert answer.status_code == 403
    assert "from there nobody may use this station" in look(answer.content).words
    answer = stranger.post("/login/", {"username": "owner", "password": PASSWORD})
    assert answer.status_code == 403
    assert not Command.objects.exists()
    assert stranger.get("/healthz").status_code == 503  # answered: nothing runs in this test
    forged = stranger.get("/login/", headers={"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1"})
    assert forged.status_code == 403
    assert stranger.post("/logout/").status_code == 403


def test_a_page_that_is_refused_says_why_and_lets_one_leave(client_from: Any) -> None:
    rules.put(MIXED)
    client = client_from(NEIGHBOUR, Role.ADMINISTRATOR)
    words = look(client.get("/sessions/").content).words
    assert "You come from 192.168.1.20 (local network)." in words
    assert "Accounts that are open from there: Owner and Installer. Yours is: Administrator." in words
    piece = client.get("/commands/1/", headers={"HX-Request": "true"})
    assert piece.status_code == 403
    assert b"<html" not in piece.content
    assert client.get("/api/v1/status").json()["detail"].startswith("You come from 192.168.1.20")
    assert client.post("/logout/").status_code == 302


def test_a_token_may_come_from_where_its_owner_may(client_from: Any, somebody: Any) -> None:
    rules.put(MIXED)
    for role, status in ((Role.OWNER, 404), (Role.INSTALLER, 404), (Role.ADMINISTRATOR, 403)):
        token = tokens.make(somebody(role), "house", ["read"], None)[1]
        answer = client_from(NEIGHBOUR, None).get("/api/v1/commands/1", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == status, role
        assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"].startswith("You come from 192.168.1.20")


def test_the_login_says_in_words_who_may_not_come_from_here(client_from: Any, somebody: Any) -> None:
    rules.put(MIXED)
    somebody(Role.ADMINISTRATOR)
    client = client_from(NEIGHBOUR, None)
    assert (
        "From here (local network) only these may log in: Owner and Installer."
        in look(client.get("/login/").content).words
    )
    answer = client.post("/login/", {"username": "administrator", "password": PASSWORD})
    assert "Yours is: Administrator." in look(answer.content).words
    assert "_auth_user_id" not in client.session
    assert Command.objects.get(action="login").arguments["accepted"] is False
    for _ in range(6):  # a right password at the wrong place locks nobody out
        client.post("/login/", {"username": "administrator", "password": PASSWORD})
    vpn = Client(REMOTE_ADDR=VPN_HOST)
    assert vpn.post("/login/", {"username": "administrator", "password": PASSWORD}).status_code == 302


def test_damaged_rules_are_never_more_open_than_those_delivered() -> None:
    for rubbish in (None, [], "x", {"owner": "elsewhere", "sites": 3}, {"administrator": ["everywhere", 5, None]}):
        read = rules.read(rubbish)
        assert not any(read.permit(role, Place.ELSEWHERE) for role in Role)
    assert rules.read(MIXED.written()) == MIXED
    assert rules.read({"sites": ["10.1.0.0/16", "nonsense"]}).written()["sites"] == ["10.1.0.0/16"]


# ---------------------------------------------------------------------- the page


def test_the_page_shows_where_one_is_and_what_is_in_force(client_from: Any) -> None:
    page = look(client_from(NEIGHBOUR).get("/access/").content)
    assert "You come from 192.168.1.20: local network." in page.words
    assert "Answers go out by eth0." in page.words


@pytest.mark.parametrize("role", [Role.OWNER, Role.INSTALLER])
def test_only_administrators_see_and_change_them(client_from: Any, role: Role) -> None:
    client = client_from(NEIGHBOUR, role)
    for path in ("/access/", "/access/trials/"):
        assert client.get(path).status_code == 403
    for path in ("/access/change/", "/access/trials/rules/keep/", "/access/trials/rules/take-back/"):
        assert client.post(path, form()).status_code == 403
    assert not Setting.objects.exists()


def test_a_change_that_cuts_nobody_off_holds_at_once(client_from: Any) -> None:
    client = client_from(NEIGHBOUR)
    wanted = form(owner="local elsewhere", installer="local", administrator="local", sites="172.20.0.0/16\n10.1.0.0/16")
    answer = client.post("/access/change/", wanted, follow=True)
    assert "These rules are in force." in look(answer.content).words
    assert not Trial.objects.exists()
    assert client_from("172.20.1.1").get("/").status_code == 200
    assert client_from(STRANGER, Role.OWNER).get("/").status_code == 200
    assert client_from(VPN_HOST).get("/").status_code == 403
    command = Command.objects.get(action="web_security")
    assert (command.who, command.arguments["what"]) == ("administrator", "set_access_rules")


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"mode": "everything"}, "marked fields"),
        ({}, "marked fields"),
        (form(sites="192.168.300.0/24"), "is no network"),
        (form(sites="<b>x</b>"), "is no network"),
        (form(sites="192.168.1.7/24"), "is an address within the network 192.168.1.0/24"),
        (form(sites="0.0.0.0/0"), "too wide"),
        (form(sites="::/0"), "too wide"),
        (form(sites="127.0.0.0/8"), "Nobody comes from"),
        (form(sites="\n".join(f"10.{n}.0.0/16" for n in range(17))), "At most 16"),
        (form(sites="1" * 2000), "marked fields"),
    ],
)
def test_bad_input_is_named_and_kept(client_from: Any, sent: dict[str, str], said: str) -> None:
    answer = client_from(NEIGHBOUR).post("/access/change/", sent)
    assert answer.status_code == 422
    assert said in look(answer.content).words
    assert rules.current() == Rules()
    typed = sent.get("sites", "")
    assert not typed or typed.splitlines()[0].replace("<", "&lt;").replace(">", "&gt;") in answer.content.decode()


# ---------------------------------------------------------------------- a rule that cuts off whoever sets it


@pytest.fixture
def tried(client_from: Any, clock: Clock) -> Client:
    """An administrator in the local network has chosen administration from the VPN only."""
    client = client_from(NEIGHBOUR)
    answer = client.post("/access/change/", form("vpn"), follow=True)
    assert answer.status_code == 403
    return client


def test_it_is_tried_and_comes_back_by_itself(tried: Client, clock: Clock) -> None:
    answer = tried.get("/access/")
    assert "come back by themselves in 2:00" in look(answer.content).words
    assert answer.headers["Refresh"] == "5"
    clock.later(119)
    assert "in 0:01" in look(tried.get("/access/").content).words
    clock.later(1)
    assert tried.get("/access/").status_code == 200
    assert rules.current() == Rules()
    assert not Trial.objects.exists()
    assert rules.read(Setting.objects.get(pk="rules").value) == Rules()
    told = [(one.who, one.arguments["what"]) for one in Command.objects.order_by("id")]
    assert told == [("administrator", "set_access_rules"), ("", "take_back_trial")]
    log = look(tried.get("/audit/").content).words
    assert "set the access rules" in log
    assert "took back a change that was on trial" in log


def test_who_comes_in_under_it_keeps_it(tried: Client, client_from: Any, clock: Clock) -> None:
    vpn = client_from(VPN_HOST)
    clock.later(60)
    banner = look(vpn.get("/").content).words
    assert "Set by administrator; unless somebody keeps them, the former ones come back in 1:00." in banner
    assert "New access rules are being tried." not in look(client_from(VPN_HOST, Role.OWNER).get("/").content).words
    assert vpn.post("/access/trials/rules/keep/").status_code == 302
    clock.later(1000)
    assert tried.get("/access/").status_code == 403
    assert rules.current().vpn_only
    assert "trial" not in look(vpn.get("/access/trials/").content).words


def test_whoever_is_cut_off_cannot_keep_it(tried: Client, clock: Clock) -> None:
    assert tried.post("/access/trials/rules/keep/").status_code == 403
    clock.later(120)
    assert tried.get("/").status_code == 200


def test_at_the_station_itself_everybody_may_keep_it_or_take_it_back(tried: Client, client_from: Any) -> None:
    client_from("127.0.0.1").post("/access/trials/rules/take-back/")
    assert tried.get("/").status_code == 200
    assert set(Command.objects.values_list("arguments__what", flat=True)) == {"set_access_rules", "take_back_trial"}


def test_another_change_meanwhile_goes_back_to_what_was_before_the_first(
    tried: Client, client_from: Any, clock: Clock
) -> None:
    clock.later(100)
    client_from(VPN_HOST).post("/access/change/", form(owner="elsewhere", installer="", administrator="local"))
    assert client_from(VPN_HOST).get("/").status_code == 403
    clock.later(119)
    assert client_from(STRANGER, Role.OWNER).get("/").status_code == 200
    clock.later(1)
    assert client_from(VPN_HOST).get("/").status_code == 200
    assert rules.current() == Rules()


def test_at_the_station_itself_nothing_is_a_trial(client_from: Any) -> None:
    client_from("127.0.0.1").post("/access/change/", form())  # nobody may come at all
    assert not Trial.objects.exists()
    assert client_from(NEIGHBOUR, None).get("/login/").status_code == 403
    assert client_from(OWN).get("/access/").status_code == 200


def test_unknown_trials_are_none(client_from: Any) -> None:
    assert client_from(NEIGHBOUR).post("/access/trials/nothing/keep/").status_code == 302
    assert client_from(NEIGHBOUR).post("/access/trials/nothing/take-back/").status_code == 302
    assert not Command.objects.exists()


def test_every_account_is_looked_at_on_every_request(client_from: Any) -> None:
    """A change holds for those who are in already."""
    client = client_from(VPN_HOST, Role.OWNER)
    assert client.get("/").status_code == 200
    rules.put(Rules({**Rules().places, Role.OWNER: LOCAL_ONLY}))
    assert client.get("/").status_code == 403
    User.objects.filter(username="owner").update(is_staff=True)  # an installer from now on
    assert client.get("/").status_code == 200
