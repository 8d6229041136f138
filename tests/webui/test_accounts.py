"""Logins: each is told to the station, and wrong passwords make one wait."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from station.store.models import Command
from tests.webui.looking import look
from webui.accounts.throttle import ADDRESSES, Throttle, throttle

PASSWORD = "a long enough word"
pytestmark = pytest.mark.django_db


def log_in(password: str, name: str = "olga", address: str = "192.0.2.7") -> str:
    answer = Client(REMOTE_ADDR=address).post("/login/", {"username": name, "password": password})
    return "in" if answer.status_code == 302 else look(answer.content).words


def facts() -> list[dict[str, object]]:
    return list(Command.objects.filter(action="login").order_by("id").values_list("arguments", flat=True))


def test_a_login_is_told(person: User) -> None:
    assert log_in(PASSWORD) == "in"
    assert facts() == [{"accepted": True, "user": "olga", "origin": "192.0.2.7"}]
    assert Command.objects.get().user == person


def test_one_that_fails_is_told_and_names_only_who_is_known(person: User) -> None:
    assert "do not belong together" in log_in("wrong")
    assert "do not belong together" in log_in("wrong", name="my-secret-password")
    assert facts() == [
        {"accepted": False, "user": "olga", "origin": "192.0.2.7"},
        {"accepted": False, "user": "", "origin": "192.0.2.7"},
    ]
    assert "my-secret-password" not in str(list(Command.objects.values()))


def test_after_some_wrong_passwords_one_waits(person: User) -> None:
    for _ in range(5):
        assert "do not belong together" in log_in("wrong")
    assert facts()[-1] == {"accepted": False, "user": "olga", "origin": "192.0.2.7", "locked": 60}
    assert "Too many wrong passwords. Try again in 60 seconds." in log_in(PASSWORD)
    assert len(facts()) == 5  # who is locked out fills no table
    assert log_in(PASSWORD, address="192.0.2.8") == "in"


def test_the_right_password_forgives(person: User) -> None:
    for _ in range(3):
        for _ in range(4):
            log_in("wrong")
        assert log_in(PASSWORD) == "in"


def test_an_empty_form_counts_for_nothing(person: User) -> None:
    for _ in range(10):
        log_in("")
    assert facts() == []
    assert throttle.locked_for("192.0.2.7") == 0


def test_the_admin_pages_have_no_login_of_their_own(person: User) -> None:
    answer = Client().get("/admin/login/?next=/admin/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/login/?next=/admin/")


def test_locks_grow_and_pass() -> None:
    now = 1000.0
    door = Throttle(lambda: now)
    locks = []
    for _ in range(6):
        for _ in range(4):
            assert door.failed("a") == 0
        locks.append(door.failed("a"))
        assert door.locked_for("a") == locks[-1]
        assert door.locked_for("b") == 0
        now += locks[-1]
        assert door.locked_for("a") == 0
    assert locks == [60, 120, 240, 480, 900, 900]
    now += 2000
    assert [door.failed("a") for _ in range(5)] == [0, 0, 0, 0, 60]


def test_a_network_of_ipv6_is_one_host_and_the_memory_is_small() -> None:
    door = Throttle()
    for number in range(5):
        door.failed(f"2001:db8::{number}")
    assert door.locked_for("2001:db8::ffff") > 0
    assert door.locked_for("2001:db8:0:1::1") == 0
    for number in range(1000):
        door.failed(f"10.0.{number // 250}.{number % 250}")
    assert len(door._tries) == ADDRESSES
