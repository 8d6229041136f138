"""The second step of the login: codes, replay, drift, recovery, and that a role may be made to have it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from tests.webui.accounts.conftest import FAR, PASSWORD, SITE, Clock, Hands, code_of, logins, set_up
from webui.accounts import second_step
from webui.accounts.models import Account, Change, Policy, RecoveryCode

pytestmark = pytest.mark.django_db
People = Callable[..., Hands]


def test_the_codes_are_those_of_the_standard() -> None:
    """RFC 6238, appendix B, of which an app shows six digits."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    for now, code in ((59, "287082"), (1111111109, "081804"), (2000000000, "279037")):
        assert second_step.matching_step(secret, code, now) == now // 30
        assert code_of(secret, now) == code


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "１２３４５６", "12345\x00", "-12345"])
def test_what_is_no_code(code: str) -> None:
    assert second_step.matching_step("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", code, 59) is None


def test_login_in_two_steps(person: User, hands: People, clock: Clock) -> None:
    secret, _codes = set_up(person, clock)
    olga = hands().log_in(next="/sessions/")
    assert olga.at == "/login/code/"
    assert not olga.inside
    assert olga.get("/sessions/").at == "/login/"
    assert logins() == []
    olga.post("/login/code/", code=code_of(secret, clock.now))
    assert olga.at == "/sessions/"
    assert logins() == [{"accepted": True, "user": "olga", "origin": SITE}]


def test_a_code_with_a_space_as_apps_show_it(person: User, hands: People, clock: Clock) -> None:
    secret, _codes = set_up(person, clock)
    code = code_of(secret, clock.now)
    assert hands().log_in().post("/login/code/", code=f" {code[:3]} {code[3:]} ").inside


def test_a_code_works_once(person: User, hands: People, clock: Clock) -> None:
    secret, _codes = set_up(person, clock)
    code = code_of(secret, clock.now)
    assert hands().log_in().post("/login/code/", code=code).inside
    second = hands().log_in().post("/login/code/", code=code)
    assert "not right, or was used already" in second.words
    assert not second.inside
    before = code_of(secret, clock.now - 30)  # allowed by the drift, but older than one that was used
    assert not second.post("/login/code/", code=before).inside
    clock.now += 30
    assert second.post("/login/code/", code=code_of(secret, clock.now)).inside


@pytest.mark.parametrize(("drift", "inside"), [(-60, False), (-30, True), (30, True), (60, False)])
def test_clocks_may_differ_by_a_step(person: User, hands: People, clock: Clock, drift: int, inside: bool) -> None:
    secret, _codes = set_up(person, clock)
    clock.now += 300
    assert hands().log_in().post("/login/code/", code=code_of(secret, clock.now + drift)).inside is inside


def test_a_clock_that_was_years_ahead_shuts_nobody_out(person: User, hands: People, clock: Clock) -> None:
    secret, _codes = set_up(person, clock)
    clock.now -= 10 * 365 * 86400
    assert hands().log_in().post("/login/code/", code=code_of(secret, clock.now)).inside


def test_wrong_codes_make_one_wait_and_are_told(person: User, hands: People, clock: Clock) -> None:
    secret, _codes = set_up(person, clock)
    olga = hands(FAR).log_in()
    for _ in range(4):
        assert olga.post("/login/code/", code="000000").at == "/login/code/"
    assert olga.post("/login/code/", code="000000").at == "/login/"  # the password is asked for again
    assert [told["accepted"] for told in logins()] == [False] * 5
    assert logins()[-1]["locked"] == 60
    assert "Too many wrong attempts" in olga.log_in().words
    # From elsewhere in the internet the account waits as well, even with the password; on site it does not.
    assert "Too many wrong attempts" in hands("203.0.113.5").log_in().words
    assert hands(SITE).log_in().post("/login/code/", code=code_of(secret, clock.now)).inside


def test_the_right_password_alone_forgives_no_wrong_codes(person: User, hands: People, clock: Clock) -> None:
    set_up(person, clock)
    for _ in range(5):
        hands().log_in().post("/login/code/", code="000000")
    assert "Too many wrong attempts" in hands().log_in().words


def test_the_page_of_the_code_without_a_password_before(person: User, hands: People, clock: Clock) -> None:
    secret, _codes = set_up(person, clock)
    stranger = hands().post("/login/code/", code=code_of(secret, clock.now))
    assert (stranger.at, stranger.inside) == ("/login/", False)
    assert hands().get("/login/second-step/").at == "/login/"
    assert hands().get("/login/password/").at == "/login/"


def test_the_secret_is_sealed_and_recovery_codes_are_kept_as_digests(person: User, clock: Clock) -> None:
    secret, codes = set_up(person, clock)
    kept = str(list(Account.objects.values())) + str(list(RecoveryCode.objects.values()))
    assert secret not in kept
    assert not any(code in kept or code.replace("-", "") in kept for code in codes)
    assert len(set(codes)) == 10


def test_a_recovery_code_works_once(person: User, hands: People, clock: Clock) -> None:
    _secret, codes = set_up(person, clock)
    assert hands().log_in().post("/login/code/", code=codes[3].lower().replace("-", " ")).inside
    assert not hands().log_in().post("/login/code/", code=codes[3]).inside
    assert hands().log_in().post("/login/code/", code=codes[4]).inside
    used = Change.objects.filter(kind="recovery_code_used")
    assert [(one.who, one.data) for one in used.order_by("id")] == [("olga", {"left": 9}), ("olga", {"left": 8})]


def test_a_recovery_code_of_somebody_else(person: User, anna: User, hands: People, clock: Clock) -> None:
    _secret, codes = set_up(anna, clock)
    set_up(person, clock)
    assert not hands().log_in().post("/login/code/", code=codes[0]).inside


def test_a_secret_that_cannot_be_read_leaves_the_recovery_codes(person: User, hands: People, clock: Clock) -> None:
    secret, codes = set_up(person, clock)
    Account.objects.update(totp_secret="sealed:1:bm90aGluZyBvZiBvdXJzLCBzdXJlbHkgbm90")
    olga = hands().log_in()
    assert "only a recovery code works" in olga.words
    assert not olga.post("/login/code/", code=code_of(secret, clock.now)).inside
    assert olga.post("/login/code/", code=codes[0]).inside


# ---------------------------------------------------------------- setting it up


def secret_shown(words: str) -> str:
    found = re.search(r"((?:[A-Z2-7]{4} ){7}[A-Z2-7]{4})", words)
    assert found is not None
    return found[1].replace(" ", "")


def test_set_up_new_codes_and_off(person: User, hands: People, clock: Clock) -> None:
    olga = hands().log_in().get("/account/second-step/")
    assert b"<svg" in olga.answer.content
    secret = secret_shown(olga.words)
    olga.post("/account/second-step/", code="000000")
    assert "not the code that the app should show" in olga.words
    assert secret_shown(olga.words) == secret
    olga.post("/account/second-step/", code=code_of(secret, clock.now))
    codes = re.findall(r"[A-Z2-9]{4}(?:-[A-Z2-9]{4}){3}", olga.words)
    assert len(codes) == 10
    assert codes[0] not in olga.get("/account/").words  # shown once
    assert "10 recovery codes are left." in olga.words

    olga.post("/account/recovery-codes/", current="wrong")
    assert "That is not your password." in olga.words
    olga.post("/account/recovery-codes/", current=PASSWORD)
    newer = re.findall(r"[A-Z2-9]{4}(?:-[A-Z2-9]{4}){3}", olga.words)
    assert not set(codes) & set(newer)
    assert not hands().log_in().post("/login/code/", code=codes[0]).inside
    assert hands().log_in().post("/login/code/", code=newer[0]).inside

    olga.post("/account/second-step/off/", current="wrong")
    assert second_step.is_on(Account.objects.get(user=person))
    olga.post("/account/second-step/off/", current=PASSWORD)
    assert hands().log_in().inside
    assert not RecoveryCode.objects.exists()
    kinds = list(Change.objects.order_by("id").values_list("kind", flat=True))
    assert kinds == ["second_step_on", "recovery_codes", "recovery_code_used", "second_step_off"]


def test_an_administrator_may_require_it(person: User, anna: User, hands: People, clock: Clock) -> None:
    olga, boss = hands().log_in(), hands().log_in(name="anna")
    boss.post("/people/second-step/", owner="on", administrator="on")
    assert "Set up your own second step first" in boss.words
    assert not Policy.objects.filter(second_step=True).exists()
    boss.post("/people/second-step/", owner="on")
    assert olga.get("/").at == "/login/"  # who has none is logged out
    assert boss.get("/people/").at == "/people/"

    olga.log_in(next="/sessions/")
    assert olga.at == "/login/second-step/"
    assert not olga.inside
    secret = secret_shown(olga.words)
    olga.post("/login/second-step/", code=code_of(secret, clock.now))
    assert "log me in" in olga.words
    assert not olga.inside
    assert olga.get("/login/code/").at == "/sessions/"
    assert olga.inside
    assert "so it cannot be switched off" in olga.get("/account/").words
    olga.post("/account/second-step/off/", current=PASSWORD)
    assert second_step.is_on(Account.objects.get(user=person))


def test_the_qr_code_says_what_the_app_needs(person: User) -> None:
    address = second_step.address("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "olga")
    assert address.startswith("otpauth://totp/Charging%20station")
    assert "secret=GEZDGNBVGY3TQOJQ" in address
    assert "olga" in address
