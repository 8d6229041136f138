"""CSV of a selection: what others read by program, and what no spreadsheet calculates."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client

from station.store.models import Transaction, Variable
from tests.webui.making import NOON
from tests.webui.sessions.test_sums import tariff
from webui.cards.models import Card
from webui.owner import here
from webui.sessions import export

Make = Callable[..., Transaction]


def read(browser: Client, query: str = "") -> list[dict[str, str]]:
    answer = browser.get(f"/sessions/sessions.csv{query}")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/csv; charset=utf-8; header=present"
    assert answer["Content-Disposition"].startswith('attachment; filename="sessions_')
    text = b"".join(answer.streaming_content).decode()
    assert text.endswith("\r\n")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_lines(browser: Client, make_session: Make) -> None:
    tariff(valid_from=NOON - timedelta(days=30))
    Variable.objects.create(component="ClockCtrlr", variable="TimeZone", value="Europe/Berlin")
    here.forget()
    made = make_session()
    Card(id_token=made.id_token.lower(), id_token_type="ISO14443", name='Olga, "blue"').save()
    runs = make_session(active=True, ended_at=None, meter_stop=None, stopped_reason="", energy=0, evse_id=None)
    older, newer = read(browser)
    assert newer == {
        "session": made.pk,
        "evse": "1",
        "started": "2025-06-01T14:00:00+02:00",
        "ended": "2025-06-01T15:35:00+02:00",
        "duration_s": "5700",
        "card_type": "ISO14443",
        "card": "E6F7",
        "card_name": 'Olga, "blue"',
        "authorized_by": "csms",
        "energy_kwh": "7.435",
        "meter_start_kwh": "1204.600",
        "meter_end_kwh": "1212.035",
        "cost": "2.23",
        "currency": "EUR",
        "end_reason": "EVDisconnected",
        "running": "no",
    }
    assert (older["session"], older["evse"], older["ended"], older["duration_s"]) == (runs.pk, "", "", "")
    assert (older["running"], older["meter_end_kwh"]) == ("yes", "")


def test_winter_and_summer_time(browser: Client, make_session: Make) -> None:
    Variable.objects.create(component="ClockCtrlr", variable="TimeZone", value="Europe/Berlin")
    here.forget()
    change = NOON.replace(month=10, day=26, hour=0, minute=30)  # 2:30 in summer time; an hour later 2:30 again
    make_session(started_at=change, ended_at=change + timedelta(hours=1))
    (line,) = read(browser)
    assert (line["started"], line["ended"]) == ("2025-10-26T02:30:00+02:00", "2025-10-26T02:30:00+01:00")


def test_the_filter_of_the_list_is_that_of_the_file(browser: Client, make_session: Make) -> None:
    make_session(evse_id=1)
    wanted = make_session(evse_id=2, stopped_reason="Remote")
    assert [line["session"] for line in read(browser, "?evse=2&ended=Remote")] == [wanted.pk]
    assert read(browser, "?evse=7") == []


def test_a_filter_that_makes_no_sense_is_told(browser: Client) -> None:
    answer = browser.get("/sessions/sessions.csv?evse=two")
    assert answer.status_code == 400
    assert b"Enter a whole number." in answer.content


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_formula_leaves(browser: Client, make_session: Make, start: str) -> None:
    bad = f'{start}HYPERLINK("http://x","y")'
    made = make_session(
        transaction_id=bad[:36],
        id_token=bad[:36],
        id_token_type=bad[:20],
        authorized_by=bad[:20],
        stopped_reason=bad[:20],
    )
    card = Card(id_token=made.id_token, id_token_type=made.id_token_type, name=bad)
    card.save()
    (line,) = read(browser)
    assert [value for value in line.values() if value.startswith(start)] == []
    assert line["card_name"] == f"'{bad}"


def test_many_lines_come_in_pieces(browser: Client, make_session: Make, monkeypatch: Any) -> None:
    monkeypatch.setattr(export, "CHUNK", 3)
    made = [make_session().pk for _ in range(8)]
    answer = browser.get("/sessions/sessions.csv")
    assert len(list(answer.streaming_content)) == 3
    assert [line["session"] for line in read(browser)] == made[::-1]


async def _ask(client: AsyncClient) -> bytes:
    answer = await client.get("/sessions/sessions.csv")
    return b"".join([part async for part in answer.streaming_content])


@pytest.mark.django_db(transaction=True)
def test_it_streams_under_asgi(make_session: Make, person: Any) -> None:
    """Under ASGI a plain iterator would be read to its end before the first octet leaves."""
    made = make_session()
    client = AsyncClient()
    client.force_login(person)
    assert made.pk.encode() in async_to_sync(_ask)(client)


def test_only_for_those_who_are_logged_in(db: None) -> None:
    assert Client().get("/sessions/sessions.csv").status_code == 302
