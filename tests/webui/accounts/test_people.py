"""Accounts: roles, invitations, and that there is always somebody who can administer the station."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import DatabaseError
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from tests.webui.accounts.conftest import PASSWORD, Clock, Hands, set_up
from webui import navigation
from webui.accounts import signins, tokens
from webui.accounts.models import Account, Change
from webui.accounts.people import views
from webui.accounts.presence import Presence
from webui.accounts.roles import Role, give, role_of
from webui.owner import here
from webui.owner.models import Settings

pytestmark = pytest.mark.django_db
People = Callable[..., Hands]


@pytest.fixture
def boss(anna: User, hands: People) -> Hands:
    return hands().log_in(name="anna")


def test_roles_are_read_from_the_marks_of_the_user(person: User) -> None:
    assert role_of(person) is Role.OWNER
    for role in Role:
        give(person, role)
        assert role_of(person) is role
    person.is_active = False
    assert role_of(person) is None


@pytest.mark.parametrize(
    ("role", "network", "people"), [(Role.OWNER, 403, 403), (Role.INSTALLER, 200, 403), (Role.ADMINISTRATOR, 200, 200)]
)
def test_each_role_sees_what_the_one_before_sees(
    person: User, hands: People, role: Role, network: int, people: int
) -> None:
    give(person, role)
    person.save()
    olga = hands().log_in()
    assert olga.get("/network/").answer.status_code == network
    for address in ("/people/", "/people/add/", f"/people/{person.pk}/", "/audit/"):
        assert olga.get(address).answer.status_code == people, address
    links = olga.get("/").page.links
    assert ("/network/" in links) == (network == 200)
    assert ("/people/" in links) == (people == 200)
    if people == 403:
        assert "This is not open to you" in olga.get("/people/").words


def test_every_entry_of_the_navigation_leads_somewhere(boss: Hands) -> None:
    for part in navigation.MAIN:
        for entry in navigation._entries(part):
            assert reverse(entry.url)


@pytest.mark.parametrize(
    ("rooms", "phone", "desk", "more"),
    [(3, 3, 3, 0), (5, 5, 5, 0), (6, 4, 6, 2), (7, 4, 7, 3), (8, 4, 6, 4), (12, 4, 6, 8)],
)
def test_at_most_five_on_a_phone_and_seven_on_a_desk(
    person: User, hands: People, monkeypatch: pytest.MonkeyPatch, rooms: int, phone: int, desk: int, more: int
) -> None:
    monkeypatch.setattr(navigation, "MAIN", (navigation.Entry("sessions", "Room", "list"),) * rooms)
    html = hands().log_in().get("/").answer.content.decode()
    bar, _more, behind = html[html.index('<nav class="nav"') : html.index("</nav>")].partition("<details")
    links = re.findall(r"<a [^>]*>", bar)
    assert len(links) == desk
    assert len([link for link in links if 'class="later"' not in link]) == phone
    assert behind.count("<a ") == more
    assert behind.count('class="on-phones"') == desk - phone


def test_invitation(boss: Hands, hands: People) -> None:
    boss.post("/people/add/", username="ines", role="installer", password="")
    given = re.search(r"[a-z2-9]{4}(?:-[a-z2-9]{4}){3}", boss.words)
    assert given is not None
    ines = hands().log_in(given[0], name="ines")
    assert ines.at == "/login/password/"
    ines.post("/login/password/", password="seven brave ducks", again="seven brave ducks")
    assert ines.inside
    assert ines.get("/network/").answer.status_code == 200
    assert not hands().log_in(given[0], name="ines").inside
    assert given[0] not in str(list(Change.objects.values()))
    assert [one.kind for one in Change.objects.order_by("id")] == ["account_added", "password_chosen"]


def test_with_a_password(boss: Hands, hands: People) -> None:
    boss.post("/people/add/", username="ole", role="owner", password="seven brave ducks")
    assert "ole can log in now." in boss.words
    assert hands().log_in("seven brave ducks", name="ole").inside


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"username": ""}, "This field is required."),
        ({"username": "ANNA"}, "There is an account of this name already."),
        ({"username": "<script>"}, "Only letters, digits and"),
        ({"username": "x" * 61}, "at most 60 characters"),
        ({"role": "king"}, "Select a valid choice"),
        ({"role": ""}, "This field is required."),
        ({"password": "short"}, "At least 10 characters."),
        ({"password": "0123456789012"}, "Not digits alone"),
        ({"password": "aaaaaaaaaaaa"}, "at least five different"),
        ({"password": "Liverpool1".lower() + "x" * 0}, "so it is tried first"),
        ({"password": "heinrich-1-heinrich", "username": "heinrich"}, "too much like the user name"),
        ({"password": "x1y2z" * 100}, "At most 128 characters."),
    ],
)
def test_bad_input(boss: Hands, typed: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    typed = {"username": "ole", "role": "owner", "password": "seven brave ducks", **typed}
    boss.post("/people/add/", **typed)
    assert boss.answer.status_code == 422
    assert said in boss.words
    assert User.objects.count() == 1
    if len(typed["username"]) < 20 and "<" not in typed["username"]:
        assert f'value="{typed["username"]}"'.encode() in boss.answer.content or not typed["username"]
    assert typed["password"].encode() not in boss.answer.content


def act(boss: Hands, user: User, action: str, **typed: str) -> Hands:
    return boss.post(f"/people/{user.pk}/{action}/", **typed)


def test_change_of_role_holds_at_once(boss: Hands, person: User, hands: People) -> None:
    olga = hands().log_in()
    assert olga.get("/network/").answer.status_code == 403
    act(boss, person, "role", role="installer", was="owner")
    assert olga.get("/network/").answer.status_code == 200
    act(boss, person, "role", role="administrator", was="owner")  # somebody else has changed it since
    assert "Somebody else has made olga Installer meanwhile" in boss.words
    assert role_of(User.objects.get(pk=person.pk)) is Role.INSTALLER
    assert act(boss, person, "role", role="king").answer.status_code == 422


def test_switching_off_ends_everything_at_once(boss: Hands, person: User, hands: People) -> None:
    olga = hands().log_in()
    _token, text = tokens.make(person, "x", ["read"], None)
    act(boss, person, "disable")
    assert olga.get("/").at == "/login/"
    assert tokens.find(text) is None
    assert not hands().log_in().inside
    act(boss, person, "enable")
    assert hands().log_in().inside


def test_new_invitation_replaces_password_and_ends_logins(boss: Hands, person: User, hands: People) -> None:
    olga = hands().log_in()
    act(boss, person, "invite")
    assert olga.get("/").at == "/login/"
    assert not hands().log_in().inside


def test_who_lost_the_phone_is_helped_by_an_administrator(
    boss: Hands, person: User, hands: People, clock: Clock
) -> None:
    set_up(person, clock)
    assert not hands().log_in().inside
    act(boss, person, "second-step")
    assert hands().log_in().inside
    assert Change.objects.get().kind == "second_step_taken"


def test_remove_keeps_what_was_done(boss: Hands, person: User, hands: People) -> None:
    olga = hands().log_in()
    assert act(boss, person, "remove").at == "/people/"
    assert olga.get("/").at == "/login/"
    assert not User.objects.filter(username="olga").exists()
    audit = boss.get("/audit/").words
    assert "anna removed the account olga" in audit
    assert "olga logged in" in audit


def test_nothing_is_done_to_ones_own_account(boss: Hands, anna: User) -> None:
    for action in views.ACTIONS:
        act(boss, anna, action, role="owner")
        assert "This is your own account." in boss.words
    anna.refresh_from_db()
    assert role_of(anna) is Role.ADMINISTRATOR


@pytest.mark.parametrize("action", ["disable", "remove", "role"])
def test_the_last_administrator_stays(
    boss: Hands, anna: User, action: str, hands: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two who do it to each other at once: the second finds the first no administrator any more."""
    other = User.objects.create_superuser("arne", password=PASSWORD)
    guarded = views._other

    def overtaken(request: object, pk: int) -> User:
        found = guarded(request, pk)  # type: ignore[arg-type]
        User.objects.filter(pk=anna.pk).update(is_active=False)  # what arne has just done to anna
        return found

    monkeypatch.setattr(views, "_other", overtaken)
    act(boss, other, action, role="owner")
    other.refresh_from_db()
    assert role_of(other) is Role.ADMINISTRATOR


def test_what_is_not_there(boss: Hands, person: User) -> None:
    assert act(boss, person, "promote").answer.status_code == 404
    assert boss.get("/people/999/").answer.status_code == 404
    assert boss.post("/people/999/remove/").answer.status_code == 404
    assert boss.client.get(f"/people/{person.pk}/remove/").status_code == 405
    assert User.objects.filter(pk=person.pk).exists()


def test_an_owner_can_do_none_of_it(person: User, anna: User, hands: People) -> None:
    olga = hands().log_in()
    for action in views.ACTIONS:
        assert act(olga, anna, action, role="owner").answer.status_code == 403
    assert olga.post("/people/add/", username="x", role="administrator").answer.status_code == 403
    assert olga.post("/people/second-step/").answer.status_code == 403
    assert not Change.objects.exists()
    assert User.objects.count() == 2


# ---------------------------------------------------------------- one's own account


def test_own_password(person: User, hands: People) -> None:
    here, there = hands().log_in(), hands().log_in()
    here.post("/account/password/", current="wrong", password="seven brave ducks", again="seven brave ducks")
    assert "That is not your password." in here.words
    here.post("/account/password/", current=PASSWORD, password="short", again="short")
    assert "At least 10 characters." in here.words
    assert there.get("/").at == "/"
    here.post("/account/password/", current=PASSWORD, password="seven brave ducks", again="seven brave ducks")
    assert "Your password is changed." in here.words
    assert here.get("/account/").at == "/account/"
    assert there.get("/").at == "/login/"
    assert hands().log_in("seven brave ducks").inside


def test_guessing_the_password_at_an_open_browser_makes_one_wait(person: User, hands: People) -> None:
    olga = hands().log_in()
    for _ in range(5):
        olga.post("/account/password/", current="wrong", password="seven brave ducks", again="seven brave ducks")
    olga.post("/account/password/", current=PASSWORD, password="seven brave ducks", again="seven brave ducks")
    assert "Too many wrong attempts" in olga.words


def test_logins_are_listed_and_ended(person: User, anna: User, hands: People) -> None:
    here, there, elsewhere = hands(), hands("192.168.1.77"), hands()
    there.client.defaults["HTTP_USER_AGENT"] = "Mozilla/5.0 (Android 14; Mobile; rv:130.0) Gecko/130.0 Firefox/130.0"
    for one in (here, there, elsewhere):
        one.log_in()
    stranger = hands().log_in(name="anna")
    words = here.get("/account/").words
    assert "Firefox · Android" in words
    assert "192.168.1.77" in words
    assert words.count("Unknown browser") == 2
    row = views.SignIn.objects.get(address="192.168.1.77")
    assert stranger.post(f"/account/logins/{row.pk}/end/").answer.status_code == 404
    here.post(f"/account/logins/{row.pk}/end/")
    assert there.get("/").at == "/login/"
    here.post("/account/logins/end/")
    assert elsewhere.get("/").at == "/login/"
    assert here.get("/account/").at == "/account/"
    assert stranger.get("/account/").at == "/account/"
    row = views.SignIn.objects.get(user=person)
    here.post(f"/account/logins/{row.pk}/end/")
    assert here.get("/").at == "/login/"


def test_last_seen_is_written_seldom(person: User, hands: People, monkeypatch: pytest.MonkeyPatch) -> None:
    began = timezone.now()
    olga = hands().log_in()
    for minutes, noted in ((1, 0), (9, 0), (11, 11), (20, 11), (22, 22), (-500, -500)):
        now = began + timedelta(minutes=minutes)
        monkeypatch.setattr(signins.timezone, "now", lambda now=now: now)
        olga.client.get("/account/")
        seen = views.SignIn.objects.get().seen
        assert round((seen - began) / timedelta(minutes=1)) == noted


def test_a_login_that_has_run_out_is_not_listed(person: User, hands: People) -> None:
    olga = hands().log_in()
    hands("192.168.1.77").log_in()
    row = views.SignIn.objects.get(address="192.168.1.77")
    Session.objects.filter(session_key=row.session_key).delete()
    assert "192.168.1.77" not in olga.get("/account/").words


def test_language(person: User, hands: People) -> None:
    olga = hands().log_in()
    assert olga.get("/").answer.headers["Content-Language"] == "en"
    olga.post("/account/language/", language="de")
    assert olga.get("/").answer.headers["Content-Language"] == "de"
    assert b'<html lang="de">' in olga.answer.content
    again = hands().log_in()
    assert again.get("/").answer.headers["Content-Language"] == "de"
    assert olga.post("/account/language/", language="tlh").answer.status_code == 422
    olga.post("/account/language/", language="")
    answer = olga.client.get("/", headers={"Accept-Language": "nl, fr-CH;q=0.8, en;q=0.5"})
    assert answer.headers["Content-Language"] == "fr"
    assert Account.objects.get(user=person).language == ""
    Settings.objects.create(pk=Settings.THE_ONE, language="es")
    here.forget()
    assert olga.get("/").answer.headers["Content-Language"] == "es"  # a browser that says nothing of it
    assert hands().client.get("/login/", headers={"Accept-Language": "x" * 9000}).headers["Content-Language"] == "es"
    here.forget()


def test_without_the_database_there_is_a_language_and_no_mistake(
    browser: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise DatabaseError("away")

    monkeypatch.setattr("django.contrib.sessions.backends.db.SessionStore.load", fails)
    request = RequestFactory().get("/healthz", headers={"Accept-Language": "es"})
    request.COOKIES[settings.SESSION_COOKIE_NAME] = "x"
    request.session = SessionStore("x")
    Presence(lambda request: HttpResponse()).process_request(request)
    assert request.LANGUAGE_CODE == "es"
