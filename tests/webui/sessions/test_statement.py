"""The statement on paper: ordered from the list, made as long work, read as text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from pypdf import PdfReader

from station.store.models import Transaction
from tests.webui.making import NOON
from tests.webui.sessions.test_sums import tariff
from webui.cards.models import Card
from webui.owner import here
from webui.owner.models import Settings
from webui.sessions import statement
from webui.work import doing, places
from webui.work.models import Job

Make = Callable[..., Transaction]


@pytest.fixture(autouse=True)
def own_folder(settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr("webui.work.orders.nudge", lambda: True)


def ordered(browser: Client, query: str = "", **headers: str) -> Job:
    answer = browser.post(f"/sessions/statement/{query}", headers=headers)
    assert answer.status_code == 302
    job = Job.objects.get()
    assert answer["Location"] == f"/work/{job.pk}/"
    return job


def made(job: Job) -> str:
    assert doing.work_off() == 1
    job.refresh_from_db()
    assert (job.status, job.message) == (Job.Status.DONE, "")
    pages = PdfReader(places.result(job.pk)).pages
    return "\n".join(page.extract_text() for page in pages)


def test_a_statement(browser: Client, make_session: Make) -> None:
    tariff(valid_from=NOON - timedelta(days=30))
    owner = {"letterhead_name": "Müller & Söhne", "letterhead_address": "Hauptstraße 1\n50667 Köln"}
    Settings.objects.create(pk=1, **owner, vat_id="DE123", vat_rate=Decimal("19.00"))
    here.forget()
    newest = make_session()
    Card(id_token=newest.id_token, id_token_type="ISO14443", name="Żółta <b>Zoé</b>").save()
    make_session(evse_id=2)
    make_session()
    job = ordered(browser, "?evse=1&since=2025-05-01&until=2025-06-30")
    assert job.title == "Charging statement, May 1, 2025 to June 30, 2025"
    text = made(job)
    assert job.file == "statement_2025-05-01_2025-06-30.pdf"
    assert job.media_type == "application/pdf"
    for said in [
        "Müller & Söhne",
        "Hauptstraße 1",
        "VAT ID DE123",
        "Charging statement, May 1, 2025 to June 30, 2025",
        "June 1, 2025",
        "12:00 – 13:35",
        "Zółta <b>Zoé</b>",  # the letters have no ż
        "1204.600 –",
        "1212.035",
        "7.435",
        "2.23 €",
        "2 sessions",
        "14.9",
        "4.46 €",
        "All prices include 19 % VAT.",
        "Page 1 of",
    ]:
        assert said in text, said
    assert newest.id_token not in text


def test_in_the_language_of_whoever_ordered_it(browser: Client, make_session: Make) -> None:
    make_session()
    job = ordered(browser)
    job.language = "de"
    job.save()
    assert "1. Juni 2025" in made(job)


def test_many_pages_have_their_number_and_the_table_its_head(browser: Client, make_session: Make) -> None:
    for _ in range(60):
        make_session()
    job = ordered(browser)
    made(job)
    pages = [page.extract_text() for page in PdfReader(places.result(job.pk)).pages]
    assert len(pages) > 1
    assert all("Duration" in page for page in pages)
    for number, page in enumerate(pages, 1):
        assert f"Page {number} of" in page
        assert f"\n{len(pages)}\n" in page


def test_what_cannot_be_made_says_why(browser: Client, make_session: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = make_session()
    monkeypatch.setattr(statement, "MOST", 1)
    too_long = ordered(browser)
    make_session()
    doing.work_off()
    too_long.refresh_from_db()
    assert too_long.status == Job.Status.FAILED
    assert "These are 2 sessions, and a statement holds 1." in too_long.message
    Transaction.objects.all().delete()
    too_long.delete()
    empty = ordered(browser, "?evse=1")
    doing.work_off()
    empty.refresh_from_db()
    assert "no session in this selection any more" in empty.message
    assert gone.evse_id == 1


@pytest.mark.parametrize("arguments", [{}, {"evse": "two"}, {"since": "x"}, {"card": "x" * 99}, {"ended": "<b>"}])
def test_arguments_that_make_no_sense(person: Any, make_session: Make, arguments: dict[str, Any]) -> None:
    make_session()
    job = Job.objects.create(kind="statement", user=person, who="x", arguments=arguments, title="x", created=NOON)
    doing.work_off()
    job.refresh_from_db()
    assert job.status == (Job.Status.DONE if not arguments else Job.Status.FAILED)


def test_a_filter_that_makes_no_sense_is_told(browser: Client) -> None:
    answer = browser.post("/sessions/statement/?evse=two")
    assert answer.status_code == 400
    assert b"Enter a whole number." in answer.content
    assert not Job.objects.exists()


def test_only_by_a_button(browser: Client) -> None:
    assert browser.get("/sessions/statement/").status_code == 405
