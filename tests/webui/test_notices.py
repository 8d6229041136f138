"""Notices in the web interface: the banner, the settings and their secrets, the test button (webui.notices)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from station.notices import worker
from station.notices.models import Sending, Settings, Trouble
from station.store.secrets import unseal
from tests.webui.looking import Looking, look
from tests.webui.making import NOON
from webui.accounts.models import Change
from webui.notices import words
from webui.owner import here
from webui.owner.models import Settings as Owner

SECRET = "correct horse battery"
HOOK = "https://hooks.example/secret-path?key=0123456789"
TYPED = {
    "station_name": "Garage",
    "language": "de",
    "mail_on": "on",
    "smtp_host": "mail.example.org",
    "smtp_port": "587",
    "smtp_tls": "starttls",
    "smtp_user": "station",
    "smtp_password": SECRET,
    "mail_from": "station@example.org",
    "mail_to": "olga@example.org, peter@example.org",
    "hook_on": "on",
    "hook_url": HOOK,
    "on_fault": "on",
    "on_csms": "on",
    "csms_hours": "12",
}


@pytest.fixture(autouse=True)
def _ours(settings: Any, tmp_path: Path) -> None:
    settings.KEYS_DIR = tmp_path / "keys"
    settings.DATA_DIR = tmp_path


def page(client: Client, address: str = "/notices/", status: int = 200) -> Looking:
    answer = client.get(address)
    assert answer.status_code == status
    return look(answer.content)


def mark(client: Client) -> str:
    html = client.get("/notices/").content.decode()
    return html.split('name="mark" value="')[1][:8]


def save(client: Client, status: int = 302, **changes: str | None) -> Looking:
    form = {**TYPED, "mark": mark(client), **changes}
    answer = client.post("/notices/", {name: value for name, value in form.items() if value is not None})
    assert answer.status_code == status, look(answer.content).words if answer.content else ""
    return look(answer.content)


def trouble(**changes: Any) -> Trouble:
    fields = {"key": "fault:1", "kind": "fault", "evse_id": 1, "codes": ["GroundFailure"], "since": NOON}
    return Trouble.objects.create(**{**fields, **changes})


# ------------------------------------------------------------------ above every page


def test_nothing_wrong_and_nothing_shown(browser: Client) -> None:
    assert 'class="trouble"' not in browser.get("/").content.decode()
    assert "All is well." in page(browser).words


def test_what_is_wrong_stands_above_every_page(browser: Client) -> None:
    trouble()
    trouble(key="csms", kind="csms", evse_id=None, codes=[], ended_at=NOON)
    for address in ("/", "/sessions/", "/notices/"):
        words = page(browser, address).words
        assert "Fault at charging point 1 since 1 Jun, 12:00 Current is leaking to earth." in words
        assert "operator's system cannot be reached since" not in words


def test_each_person_hides_it_for_themselves_until_it_comes_again(browser: Client) -> None:
    row = trouble()
    answer = browser.post(f"/notices/{row.pk}/dismiss/", headers={"HX-Request": "true"})
    assert look(answer.content).words == ""
    assert "Fault at charging point 1 since" not in page(browser, "/").words
    assert "Fault at charging point 1" in page(browser).words, "the page of notices still has it"
    other = Client()
    other.force_login(User.objects.create_user("peter", password="a long enough word"))
    assert "Fault at charging point 1" in page(other, "/").words
    row.since += timedelta(hours=1)
    row.save()
    assert "Fault at charging point 1 since 1 Jun, 13:00" in page(browser, "/").words
    assert browser.post(f"/notices/{row.pk}/dismiss/")["Location"] == "/"
    assert browser.post("/notices/999/dismiss/").status_code == 404


def test_the_banner_by_itself(browser: Client) -> None:
    trouble(codes=["<b>odd</b>"])
    assert "Fault: <b>odd</b>." in page(browser, "/notices/banner/").words


def test_a_database_that_is_away_does_not_take_the_page_with_it(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(**_: Any) -> None:
        raise DatabaseError("disk I/O error")

    monkeypatch.setattr("webui.notices.reading.Trouble.objects.filter", away)
    page(browser, "/")


def test_only_people_with_an_account(client: Client, db: None) -> None:
    row = trouble()
    assert client.get("/notices/").status_code == 302
    assert client.get("/notices/banner/").status_code == 302
    assert client.post("/notices/test/mail/").status_code == 302
    assert client.post(f"/notices/{row.pk}/dismiss/").status_code == 302
    assert "Fault at charging point" not in client.get("/login/").content.decode()
    assert not Sending.objects.exists()


# ------------------------------------------------------------------ the settings


def test_saved_and_the_secrets_sealed(browser: Client) -> None:
    save(browser)
    assert [change.kind for change in Change.objects.all()] == ["notices_changed"]
    row = Settings.objects.get()
    assert (row.smtp_host, row.smtp_port, row.smtp_user, row.language) == ("mail.example.org", 587, "station", "de")
    assert row.mail_to == "olga@example.org\npeter@example.org"
    assert (row.on_fault, row.on_tamper, row.csms_hours) == (True, False, 12)
    assert row.smtp_password.startswith("sealed:")
    assert row.hook_url.startswith("sealed:")
    assert (unseal(row.smtp_password), unseal(row.hook_url)) == (SECRET, HOOK)
    html = browser.get("/notices/").content.decode()
    assert SECRET not in html
    assert "secret-path" not in html
    assert "https://hooks.example" in html


def test_at_first_the_owner_s_name_and_language(browser: Client) -> None:
    Owner.objects.create(pk=1, name="Villa", language="fr")
    here.forget()
    html = browser.get("/notices/").content.decode()
    assert 'value="Villa"' in html
    assert '<option value="fr" selected>' in html
    save(browser)
    assert 'value="Garage"' in browser.get("/notices/").content.decode()
    here.forget()


def test_a_secret_that_is_not_typed_stays(browser: Client) -> None:
    save(browser)
    save(browser, smtp_password="", hook_url="", station_name="Barn")
    row = Settings.objects.get()
    assert (row.station_name, unseal(row.smtp_password), unseal(row.hook_url)) == ("Barn", SECRET, HOOK)
    save(browser, smtp_user="", smtp_password="", smtp_tls="none")
    assert Settings.objects.get().smtp_password == ""


@pytest.mark.parametrize("change", [{"smtp_host": "evil.example"}, {"smtp_port": "2525"}, {"smtp_user": "other"}])
def test_a_password_goes_to_no_other_server_than_it_was_entered_for(browser: Client, change: dict[str, str]) -> None:
    save(browser)
    found = save(browser, 400, smtp_password="", **change)
    assert "With another server or user the password has to be entered again." in found.words
    assert Settings.objects.get().smtp_host == "mail.example.org"
    save(browser, smtp_password="another one", **change)
    assert unseal(Settings.objects.get().smtp_password) == "another one"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"smtp_host": "mail example"}, "neither a server's name nor its address"),
        ({"smtp_host": "mail\r\nRCPT"}, "neither a server's name nor its address"),
        ({"smtp_host": "x" * 254}, "at most 253"),
        ({"smtp_host": ""}, "This is needed for e-mails."),
        ({"smtp_port": "0"}, "greater than or equal to 1"),
        ({"smtp_port": "65536"}, "less than or equal to 65535"),
        ({"smtp_port": "x"}, "Enter a whole number."),
        ({"smtp_tls": "ssl3"}, "ssl3 is not one of the available choices"),
        ({"smtp_tls": "none"}, "A password is only sent with encryption."),
        ({"mail_from": "station"}, "Enter a valid email address."),
        ({"mail_from": "a@example.org\nBcc: b@example.org"}, "Enter a valid email address."),
        ({"mail_to": ""}, "This is needed for e-mails."),
        ({"mail_to": "olga@example.org peter"}, "Enter a valid email address."),
        ({"mail_to": " ".join(f"p{n}@example.org" for n in range(6))}, "Five addresses at most."),
        ({"hook_url": "ftp://example.org/"}, "no web address that a notice can go to"),
        ({"hook_url": "https://a:b@example.org/"}, "with user and password in it is not taken"),
        ({"hook_url": ""}, "This is needed for calling a web address."),
        ({"csms_hours": "0"}, "greater than or equal to 1"),
        ({"csms_hours": "999"}, "less than or equal to 168"),
        ({"language": "tlh"}, "tlh is not one of the available choices"),
        ({"station_name": "a\u202eb"}, "only signs that can be read"),
        ({"station_name": "Ga\x00rage"}, "Null characters are not allowed."),
    ],
)
def test_what_makes_no_sense_is_named_and_nothing_saved(browser: Client, change: dict[str, str], said: str) -> None:
    found = save(browser, 400, **change)
    assert said in found.words
    assert "Nothing was saved yet" in found.words
    assert not Settings.objects.exists()


def test_nothing_typed_is_lost(browser: Client) -> None:
    form = {**TYPED, "mark": mark(browser), "smtp_port": "0"}
    html = browser.post("/notices/", form).content.decode()
    for typed in ("Garage", "mail.example.org", "station@example.org", HOOK.replace("&", "&amp;")):
        assert typed in html
    assert SECRET not in html, "a password is the exception"


def test_two_people_at_once(browser: Client) -> None:
    save(browser)
    old = mark(browser)
    save(browser, station_name="Barn", smtp_password="", hook_url="")
    form = {**TYPED, "mark": old, "station_name": "Carport", "smtp_password": "", "hook_url": ""}
    answer = browser.post("/notices/", form)
    assert answer.status_code == 400
    html = answer.content.decode()
    assert "Somebody else has saved meanwhile." in look(html).words
    assert Settings.objects.get().station_name == "Barn"
    again = html.split('name="mark" value="')[1][:8]
    assert browser.post("/notices/", {**form, "mark": again}).status_code == 302
    assert Settings.objects.get().station_name == "Carport"


def test_a_key_file_that_cannot_be_written(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(text: str) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("webui.notices.forms.seal", full)
    assert "its key file cannot be written" in save(browser, 400).words
    assert not Settings.objects.exists()


# ------------------------------------------------------------------ a test, and what was sent


def test_a_test_is_followed_to_its_end(browser: Client, person: User, tmp_path: Path) -> None:
    save(browser)
    answer = browser.post("/notices/test/mail/", headers={"HX-Request": "true"})
    assert "The station sends a test …" in look(answer.content).words
    row = Sending.objects.get()
    assert (row.channel, row.what, row.status, row.user) == ("mail", "test", "waiting", person)
    assert (tmp_path / worker.NUDGE).exists()
    browser.post("/notices/test/mail/")
    assert Sending.objects.count() == 1, "a second click is the same wish"
    Sending.objects.update(made_at=timezone.now() - timedelta(minutes=1))
    assert "has not got round to it yet" in page(browser, f"/notices/sending/{row.pk}/").words
    Sending.objects.update(status="failed", word="credentials", detail="535 <b>no</b>")
    found = browser.get(f"/notices/sending/{row.pk}/").content
    assert look(found).words == "The server does not take this user and password. (535 <b>no</b>)"
    assert b"hx-trigger" not in found
    Sending.objects.update(status="sent", word="")
    assert "The test was taken." in page(browser, f"/notices/sending/{row.pk}/").words


def test_what_cannot_be_tested(browser: Client) -> None:
    assert browser.get("/notices/").content.decode().count(" disabled>") == 2
    assert browser.post("/notices/test/pigeon/").status_code == 404
    assert browser.get("/notices/sending/7/").status_code == 404
    assert browser.get("/notices/test/mail/").status_code == 405


def test_what_was_sent_lately(browser: Client) -> None:
    facts = {"kind": "fault", "evse": 2}
    common = {"made_at": NOON, "next_at": NOON + timedelta(minutes=5), "facts": facts}
    Sending.objects.create(channel="mail", what="begin", status="sent", **common)
    Sending.objects.create(channel="mail", what="end", status="failed", word="refused", detail="554 spam", **common)
    Sending.objects.create(channel="hook", what="begin", attempts=1, word="timeout", **common)
    Sending.objects.create(channel="pigeon", what="begin", word="lost", **{**common, "facts": []})
    words_ = page(browser).words
    assert "Fault at charging point 2 1 Jun, 12:00 · E-mail sent" in words_
    assert "Fault at charging point 2 · is over 1 Jun, 12:00 · E-mail The server refused the mail. (554 spam)" in words_
    assert (
        "did not answer in time. Check address and port, and the kind of encryption. Next attempt at 12:05." in words_
    )
    assert "pigeon" in words_


def test_every_failure_has_a_sentence() -> None:
    source = "".join((Path(worker.__file__).parent / name).read_text() for name in ("mail.py", "hook.py", "courier.py"))
    used = {word for word in words._WHY if f'"{word}"' in source}
    assert used == set(words._WHY)
