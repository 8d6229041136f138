"""Logins: each is told to the station, and wrong passwords make one wait."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from station.store.models import Command
from tests.webui.accounts.conftest import FAR, PASSWORD, SITE, Hands, logins
from webui.accounts import invitations, views
from webui.accounts.models import Account
from webui.accounts.throttle import REMEMBERED, Attempt, Throttle, throttle

pytestmark = pytest.mark.django_db
People = Callable[..., Hands]


def test_a_login_is_told(person: User, hands: People) -> None:
    assert hands().log_in().at == "/"
    assert logins() == [{"accepted": True, "user": "olga", "origin": SITE}]
    assert Command.objects.get().user == person


def test_one_that_fails_is_told_and_names_only_who_is_known(person: User, hands: People) -> None:
    assert "do not belong together" in hands().log_in("wrong").words
    assert "do not belong together" in hands().log_in("wrong", name="my-secret-password").words
    assert logins() == [
        {"accepted": False, "user": "olga", "origin": SITE},
        {"accepted": False, "user": "", "origin": SITE},
    ]
    assert "my-secret-password" not in str(list(Command.objects.values()))


def test_after_some_wrong_passwords_the_address_waits(person: User, hands: People) -> None:
    for name in ("olga", "otto", "ole", "olaf", "oskar"):
        assert "do not belong together" in hands(FAR).log_in("wrong", name=name).words
    assert logins()[-1] == {"accepted": False, "user": "", "origin": FAR, "locked": 60}
    waiting = hands(FAR).log_in()
    assert "Too many wrong attempts. Try again in 60 seconds." in waiting.words
    assert not waiting.inside
    assert len(logins()) == 5  # who has to wait fills no table
    assert hands("198.51.100.8").log_in().inside


def test_after_some_wrong_passwords_from_all_over_the_account_waits(person: User, hands: People) -> None:
    for last in range(5):
        hands(f"203.0.113.{last}").log_in("wrong")
    assert "Too many wrong attempts" in hands("203.0.113.99").log_in().words
    assert hands("203.0.113.99").log_in("wrong", name="otto").at == "/login/"  # others do not wait
    assert "do not belong" in hands("203.0.113.99").log_in("wrong", name="otto").words


def test_who_is_on_site_gets_in_while_strangers_try(person: User, hands: People) -> None:
    for last in range(12):
        hands(f"203.0.113.{last}").log_in("wrong")
    assert hands(SITE).log_in().inside


def test_a_browser_that_was_in_before_gets_in_while_strangers_try(person: User, hands: People) -> None:
    known = hands(FAR).log_in()
    known.post("/logout/")
    for _ in range(6):
        hands(FAR).log_in("wrong")  # even from behind the same router
    assert "Too many wrong attempts" in hands(FAR).log_in().words
    assert known.log_in().inside


def test_a_known_browser_has_no_more_tries_than_others(person: User, hands: People) -> None:
    known = hands().log_in()
    known.post("/logout/")
    for _ in range(5):
        assert "do not belong" in known.log_in("wrong").words
    assert "Too many wrong attempts" in known.log_in().words


def test_a_browser_is_known_to_its_own_account_only(person: User, anna: User, hands: People) -> None:
    known = hands().log_in()
    known.post("/logout/")
    for _ in range(5):
        hands().log_in("wrong", name="anna")
    assert "Too many wrong attempts" in known.log_in(name="anna").words
    known.client.cookies[next(name for name in known.client.cookies if name.startswith("known_"))] = "WzFd:forged"
    assert "Too many wrong attempts" in known.log_in().words  # with a forged cookie it is unknown again


def test_the_right_password_forgives_its_own_account_only(person: User, anna: User, hands: People) -> None:
    for _ in range(2):
        for _ in range(4):
            hands("203.0.113.1").log_in("wrong")
        assert hands("203.0.113.1").log_in().inside
    for last in range(5):
        hands(f"203.0.113.{last}").log_in("wrong", name="anna")
        assert hands(f"203.0.113.{last}").log_in().inside  # with an account one's own
    assert "Too many wrong attempts" in hands("203.0.113.77").log_in(name="anna").words


def test_an_empty_form_counts_for_nothing(person: User, hands: People) -> None:
    for _ in range(10):
        hands().log_in("")
    assert logins() == []
    assert throttle.locked_for(Attempt(SITE, "local", "olga", known=True)) == 0


def test_the_admin_pages_have_no_login_of_their_own(person: User) -> None:
    answer = Client().get("/admin/login/?next=/admin/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/login/?next=/admin/")


def test_it_leads_to_the_page_that_was_wanted_and_to_no_other_host(person: User, hands: People) -> None:
    assert hands().log_in(next="/sessions/").at == "/sessions/"
    assert hands().log_in(next="https://evil.example/").at == "/"
    assert hands().log_in(next="//evil.example/").at == "/"


def test_a_session_from_before_is_not_logged_in(person: User, hands: People) -> None:
    somebody = hands()
    somebody.get("/login/")
    session = somebody.client.session
    session["x"] = 1
    session.save()
    before = session.session_key
    assert somebody.log_in().client.session.session_key != before
    assert "x" not in somebody.client.session


def test_an_account_that_is_switched_off(person: User, hands: People) -> None:
    inside = hands().log_in()
    person.is_active = False
    person.save()
    assert not hands().log_in().inside
    assert inside.get("/sessions/").at == "/login/"


def test_the_hint_where_the_first_password_is(person: User, hands: People) -> None:
    assert "first password was shown" in hands().get("/login/").words
    hands().log_in()
    assert "first password was shown" not in hands().get("/login/").words


# ---------------------------------------------------------------- invitations


def invite(person: User, ends_in: timedelta = timedelta(days=7)) -> str:
    password, _until = invitations.give(person)
    Account.objects.update(invited_until=timezone.now() + ends_in)
    return password


def test_an_invitation_opens_nothing_but_the_choice_of_a_password(person: User, hands: People) -> None:
    given = invite(person)
    olga = hands().log_in(given, next="/sessions/")
    assert olga.at == "/login/password/"
    assert olga.get("/sessions/").at == "/login/"
    assert logins() == []
    olga.get("/login/password/")
    olga.post("/login/password/", password="short", again="short")
    assert "At least 10 characters." in olga.words
    olga.post("/login/password/", password="correct horse battery", again="correct horse batteri")
    assert "The two are not the same." in olga.words
    olga.post("/login/password/", password=given, again=given)
    assert "the password you have now" in olga.words
    olga.post("/login/password/", password="correct horse battery", again="correct horse battery")
    assert olga.at == "/sessions/"
    assert [told["accepted"] for told in logins()] == [True]
    assert not hands().log_in(given).inside
    assert hands().log_in("correct horse battery").inside


def test_an_invitation_that_is_over(person: User, hands: People) -> None:
    given = invite(person, -timedelta(seconds=1))
    assert "This invitation is over." in hands().log_in(given).words


def test_a_password_that_was_set_at_the_console_is_no_invitation(person: User, hands: People) -> None:
    invite(person, -timedelta(seconds=1))
    person.set_password(PASSWORD)  # as provision does, which knows of nothing else
    person.save()
    assert hands().log_in().inside


def test_what_was_begun_does_not_wait_for_ever(person: User, hands: People, monkeypatch: pytest.MonkeyPatch) -> None:
    olga = hands().log_in(invite(person), next="/sessions/")
    now = views.time.time()
    monkeypatch.setattr(views.time, "time", lambda: now + 601)
    olga.get("/login/password/")
    assert (olga.at, olga.answer.request["QUERY_STRING"]) == ("/login/", "next=%2Fsessions%2F")


def test_a_password_that_was_changed_meanwhile_ends_what_was_begun(person: User, hands: People) -> None:
    olga = hands().log_in(invite(person))
    person.set_password("another long word")
    person.save()
    olga.post("/login/password/", password="correct horse battery", again="correct horse battery")
    assert olga.at == "/login/"
    assert not olga.inside


# ---------------------------------------------------------------- the throttle by itself


def test_locks_grow_and_pass() -> None:
    now = 1000.0
    door = Throttle(lambda: now)
    one, other = Attempt("192.0.2.1"), Attempt("192.0.2.2")
    locks = []
    for _ in range(6):
        for _ in range(4):
            assert door.failed(one) == 0
        locks.append(door.failed(one))
        assert door.locked_for(one) == locks[-1]
        assert door.locked_for(other) == 0
        now += locks[-1]
        assert door.locked_for(one) == 0
    assert locks == [60, 120, 240, 480, 900, 900]
    now += 2000
    assert [door.failed(one) for _ in range(5)] == [0, 0, 0, 0, 60]


def test_a_network_of_ipv6_is_one_host_and_the_memory_is_small() -> None:
    door = Throttle()
    for number in range(5):
        door.failed(Attempt(f"2001:db8::{number}"))
    assert door.locked_for(Attempt("2001:db8::ffff")) > 0
    assert door.locked_for(Attempt("2001:db8:0:1::1")) == 0
    for number in range(3000):
        door.failed(Attempt(f"10.{number // 65536}.{number // 256}.{number % 256}", "elsewhere", f"name {number}"))
    assert len(door._others) == REMEMBERED


def test_many_names_do_not_push_out_what_is_counted_for_an_account() -> None:
    door = Throttle()
    for number in range(5):
        door.failed(Attempt(f"203.0.113.{number}", "elsewhere", "olga", known=True))
    for number in range(3000):
        door.failed(Attempt(f"2001:db8:{number:x}::1", "elsewhere", f"name {number}"))
    assert door.locked_for(Attempt("203.0.113.200", "elsewhere", "olga", known=True)) > 0


def test_each_place_is_counted_apart() -> None:
    door = Throttle()
    for number in range(5):
        door.failed(Attempt(f"203.0.113.{number}", "elsewhere", "olga", known=True))
    assert door.locked_for(Attempt("2001:4860::1", "elsewhere", "olga", known=True)) > 0
    for place in ("station", "local", "vpn"):
        assert door.locked_for(Attempt("192.0.2.1", place, "olga", known=True)) == 0
