"""The owner's cards: names, the list, blocking, teach-in (webui.cards)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from station.domain.effects import EraseCustomer, FinishCommand, Journal, Remember
from station.domain.transaction import IdToken
from station.store import customers, repositories
from station.store.models import Command, Transaction
from tests.webui.looking import Looking, look
from tests.webui.making import CARD, NOON
from webui.accounts.models import Change
from webui.cards.models import Card
from webui.cards.naming import names
from webui.cards.reading import Found, key_of

KEY = key_of(CARD, "ISO14443")
OTHER = "DEADBEEF01"


def page(client: Client, address: str = "/cards/", status: int = 200) -> Looking:
    answer = client.get(address)
    assert answer.status_code == status
    return look(answer.content)


def name(number: str = CARD, called: str = "Olga", **more: Any) -> Card:
    return Card.objects.create(id_token=number, id_token_type="ISO14443", name=called, **more)


def block(*numbers: str) -> None:
    repositories.commit([Remember("blocked_cards", [[number, "ISO14443"] for number in numbers])])


def mark(client: Client) -> str:
    return client.get(f"/cards/{KEY}/").content.decode().split('name="mark" value="')[1].split('"')[0]


def post(client: Client, form: dict[str, str]) -> Any:
    """Save what is typed, on a page that was just loaded."""
    return client.post(f"/cards/{KEY}/", {**form, "mark": mark(client)})


def taught(command: Command, number: str = CARD) -> None:
    value = {"command_id": command.pk, "id_token": number, "type": "ISO14443", "at": NOON.isoformat()}
    repositories.commit([Remember("taught_card", value), FinishCommand(command.pk, "Accepted", "taught")])


# ------------------------------------------------------------------ names, for other rooms


def test_names_of_those_that_have_one(db: None, django_assert_num_queries: Any) -> None:
    name()
    name("AB12", "The van")
    with django_assert_num_queries(1):
        found = names([CARD.lower(), CARD, "AB12", "CD34", ""])
    assert found == {CARD.lower(): "Olga", CARD: "Olga", "AB12": "The van"}
    with django_assert_num_queries(0):
        assert names([]) == {}


def test_names_of_very_many(db: None) -> None:
    name("N700", "The last")
    assert names(f"N{number}" for number in range(1200)) == {"N700": "The last"}


# ------------------------------------------------------------------ the list


def test_nothing_yet(browser: Client) -> None:
    words = page(browser).words
    assert "No card has a name yet." in words
    assert "Every card that was here lately has a name." in words


def test_only_people_with_an_account(client: Client, db: None) -> None:
    for address in ("/cards/", f"/cards/{KEY}/", "/cards/teach/1/"):
        assert client.get(address).status_code == 302
    for address in ("/cards/teach/", f"/cards/{KEY}/block/", f"/cards/{KEY}/remove/", "/cards/teach/1/stop/"):
        assert client.post(address).status_code == 302
    assert not Command.objects.exists()


def test_named_and_seen(browser: Client, make_session: Callable[..., Transaction]) -> None:
    name(show_number=False)
    make_session()
    make_session()
    make_session(id_token=OTHER)
    make_session(id_token="1234", id_token_type="KeyCode")
    make_session(id_token="WEB-olga", id_token_type="Local")
    repositories.commit([Journal(NOON, "card_read", data={"id_token": "0BADCAFE", "type": "ISO14443"})])
    found = page(browser)
    assert "Olga Card •• E6F7 Last seen 1 Jun, 12:00 · 2 sessions" in found.words
    assert "Card •• EF01" in found.words
    assert "Card •• CAFE 1 Jun 2025, 12:00 · has not charged here" in found.words
    assert "Key code" not in found.words
    assert "WEB" not in found.words
    assert not any(number in link for link in found.links for number in (CARD, OTHER, "0BADCAFE"))
    assert not any(number in found.words for number in (CARD, OTHER, "0BADCAFE"))


def test_numbers_only_where_the_owner_wants_them(browser: Client, make_session: Callable[..., Transaction]) -> None:
    name(show_number=True)
    make_session(id_token=OTHER)
    words = page(browser).words
    assert CARD in words
    assert OTHER not in words
    words = page(browser, "/cards/?numbers=shown").words
    assert CARD in words
    assert OTHER in words


def test_blocked_cards_are_listed_whether_seen_or_not(browser: Client) -> None:
    name()
    block(CARD, OTHER)
    words = page(browser).words
    assert words.count("Blocked") == 2
    assert "Card •• EF01 Blocked Not seen here lately" in words


@pytest.mark.parametrize("kept", [1, {}, ["x"], [[1]], [None], [["A", "B", "C"]]])
def test_a_list_that_cannot_be_read_is_left_out(browser: Client, kept: Any) -> None:
    repositories.commit([Remember("blocked_cards", kept)])
    assert "Blocked" not in page(browser).words


def test_what_a_card_says_is_no_html(browser: Client, make_session: Callable[..., Transaction]) -> None:
    name(called="<b>{{ 7|add:7 }}", note="<script>alert(1)</script>")
    make_session(id_token="<i>\"'>")
    words = page(browser, "/cards/?numbers=shown").words
    assert "<b>{{ 7|add:7 }}" in words
    assert "<i>\"'>" in words
    page(browser, f"/cards/{KEY}/")


# ------------------------------------------------------------------ one card


def test_a_name_is_given_changed_and_forgotten(
    browser: Client, person: User, make_session: Callable[..., Transaction]
) -> None:
    session = make_session()
    found = page(browser, f"/cards/{KEY}/")
    assert "Give it a name" in found.words
    assert f"/sessions/{session.pk}/" in found.links
    form = {"name": " Olga ", "colour": "violet", "note": "Her second one.", "show_number": "on"}
    assert post(browser, form).status_code == 302
    card = Card.objects.get()
    assert (card.name, card.colour, card.note, card.show_number) == ("Olga", "violet", "Her second one.", True)
    assert (card.id_token, card.id_token_type, card.named_by) == (CARD, "ISO14443", person.username)
    assert post(browser, {"name": "Olga's", "colour": "red"}).status_code == 302
    assert names([CARD]) == {CARD: "Olga's"}
    assert browser.post(f"/cards/{KEY}/remove/").status_code == 302
    assert not Card.objects.exists()
    assert browser.post(f"/cards/{KEY}/remove/").status_code == 404
    assert list(Change.objects.order_by("id").values_list("kind", "subject")) == [
        ("card_named", "Card •• E6F7"),
        ("card_named", "Card •• E6F7"),
        ("card_name_removed", "Card •• E6F7"),
    ]
    assert Transaction.objects.filter(id_token=CARD).exists()


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"name": "", "colour": "green"}, "This field is required."),
        ({"name": "x" * 61, "colour": "green"}, "at most 60 characters"),
        ({"name": "a\u202eb", "colour": "green"}, "only signs that can be read"),
        ({"name": "Olga", "colour": "pink"}, "pink"),
        ({"name": "Olga", "colour": "green", "note": "x" * 501}, "at most 500 characters"),
        ({"name": "Ol\x00ga", "colour": "green"}, "Null characters are not allowed."),
    ],
)
def test_a_form_that_makes_no_sense_keeps_what_was_typed(
    browser: Client, make_session: Callable[..., Transaction], form: dict[str, str], said: str
) -> None:
    make_session()
    answer = post(browser, form)
    assert answer.status_code == 400
    found = look(answer.content)
    assert said in found.words
    assert not Card.objects.exists()
    if form["name"] == "Olga":
        assert 'value="Olga"' in answer.content.decode()


def test_two_people_at_once(browser: Client) -> None:
    name()
    form = {"name": "Olga", "colour": "green", "mark": mark(browser)}
    assert browser.post(f"/cards/{KEY}/", {**form, "note": "mine"}).status_code == 302
    answer = browser.post(f"/cards/{KEY}/", {**form, "note": "and mine"})
    assert answer.status_code == 400
    html = answer.content.decode()
    assert "Somebody else has saved meanwhile." in look(html).words
    assert "and mine" in html
    assert Card.objects.get().note == "mine"
    assert post(browser, {**form, "note": "and mine"}).status_code == 302
    assert Card.objects.get().note == "and mine"


def test_somebody_was_quicker(
    browser: Client, make_session: Callable[..., Transaction], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_session()
    name()
    monkeypatch.setattr("webui.cards.views._find", lambda request, key: Found(CARD, "ISO14443"))
    answer = browser.post(f"/cards/{KEY}/", {"name": "Peter", "colour": "green", "mark": "new"})
    assert answer.status_code == 400
    assert "Somebody has just given this card a name." in look(answer.content).words
    assert names([CARD]) == {CARD: "Olga"}


def test_there_is_a_limit(
    browser: Client, make_session: Callable[..., Transaction], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webui.cards.views.MOST_NAMED", 1)
    make_session()
    name(OTHER)
    answer = post(browser, {"name": "Olga", "colour": "green"})
    assert answer.status_code == 400
    assert "There is no more room for names." in look(answer.content).words


@pytest.mark.parametrize("key", ["0" * 20, CARD, "x", "teach"])
def test_a_card_that_is_not_there(browser: Client, key: str) -> None:
    assert browser.get(f"/cards/{key}/").status_code in (404, 405)


# ------------------------------------------------------------------ blocking


@pytest.mark.django_db(transaction=True)
def test_block_and_unblock_are_filed(browser: Client, person: User) -> None:
    name()
    assert "Block it here" in page(browser, f"/cards/{KEY}/").words
    answer = browser.post(f"/cards/{KEY}/block/", headers={"HX-Request": "true"})
    assert "Sent to the station" in look(answer.content).words
    command = Command.objects.get()
    assert (command.action, command.arguments) == ("block_card", {"id_token": CARD, "type": "ISO14443"})
    assert command.user == person
    block(CARD)
    repositories.commit([FinishCommand(command.pk, "Accepted", "Done.")])
    command.refresh_from_db()
    assert command.arguments["id_token"] == "****E6F7"
    answer = browser.get(f"/commands/{command.pk}/", headers={"HX-Request": "true"})
    assert "The card is blocked at this station." in look(answer.content).words
    words = page(browser, f"/cards/{KEY}/").words
    assert "This card is blocked here." in words
    assert "Unblock it" in words
    assert browser.post(f"/cards/{KEY}/unblock/")["Location"] == f"/cards/{KEY}/"
    assert Command.objects.filter(action="unblock_card").exists()


@pytest.mark.django_db(transaction=True)
def test_nothing_is_filed_for_a_card_that_is_not_there(browser: Client) -> None:
    assert browser.post(f"/cards/{KEY}/block/").status_code == 404
    assert browser.post(f"/cards/{KEY}/steal/").status_code == 404
    assert not Command.objects.exists()


def test_the_driver_is_told_by_whom(browser: Client) -> None:
    from webui import words

    assert words.message("blocked_here") == "This card is blocked at this station by its owner."
    data = {"id_token": CARD, "type": "ISO14443", "who": "olga", "why": "blocked_here"}
    assert words.event("card_blocked", data) == "olga blocked a card at this station: Card •• E6F7."
    assert words.event("refused", data) == (
        "Card •• E6F7 was refused. This card is blocked at this station by its owner."
    )


# ------------------------------------------------------------------ teach-in


def begin(client: Client) -> Command:
    answer = client.post("/cards/teach/")
    command = Command.objects.get(action="teach_card", status="Filed")
    assert answer["Location"] == f"/cards/teach/{command.pk}/"
    return command


@pytest.mark.django_db(transaction=True)
def test_a_new_card_is_read_and_gets_a_name(browser: Client) -> None:
    command = begin(browser)
    found = page(browser, f"/cards/teach/{command.pk}/")
    assert "Hold the card to the reader now" in found.words
    taught(command)
    piece = browser.get(f"/cards/teach/{command.pk}/", headers={"HX-Request": "true"})
    found = look(piece.content)
    assert f"The card was read {CARD} It is new here." in found.words
    assert found.links == [f"/cards/{KEY}/"]
    assert "hx-trigger" not in piece.content.decode()
    assert "Give it a name" in page(browser, found.links[0]).words
    post(browser, {"name": "Olga", "colour": "green"})
    assert names([CARD]) == {CARD: "Olga"}
    assert "It is known here already, as “Olga”." in page(browser, f"/cards/teach/{command.pk}/").words


@pytest.mark.django_db(transaction=True)
def test_only_whoever_asked_sees_what_was_read(browser: Client) -> None:
    command = begin(browser)
    taught(command)
    other = Client()
    other.force_login(User.objects.create_user("peter", password="a long enough word"))
    assert other.get(f"/cards/teach/{command.pk}/").status_code == 404
    assert other.post(f"/cards/teach/{command.pk}/stop/").status_code == 404
    assert other.get(f"/cards/{KEY}/").status_code == 404
    assert CARD not in page(other, "/cards/?numbers=shown").words


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("no_card_read", "No card was held to the reader within a minute."),
        ("teaching_taken", "Somebody else is teaching in a card at this moment."),
        ("teaching_stopped", "The reader serves drivers again."),
        ("no_reader", "no card can be read"),
        ("The station could not take this up in time.", "The station could not take this up in time."),
    ],
)
def test_why_no_card_was_read(browser: Client, message: str, said: str) -> None:
    command = begin(browser)
    repositories.commit([FinishCommand(command.pk, "Rejected", message)])
    found = page(browser, f"/cards/teach/{command.pk}/")
    assert said in found.words
    assert "Try again" in found.words


@pytest.mark.django_db(transaction=True)
def test_a_station_that_does_not_answer(browser: Client) -> None:
    command = begin(browser)
    Command.objects.update(filed_at=timezone.now() - timedelta(seconds=40))
    assert "20 seconds left" in page(browser, f"/cards/teach/{command.pk}/").words
    Command.objects.update(filed_at=timezone.now() - timedelta(seconds=76))
    assert "The station did not answer." in page(browser, f"/cards/teach/{command.pk}/").words


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kept", [None, {"command_id": 0}, [], {"command_id": True}])
def test_what_was_read_is_gone(browser: Client, kept: Any) -> None:
    command = begin(browser)
    if isinstance(kept, dict) and kept["command_id"]:
        kept = {"command_id": command.pk, "id_token": CARD}
    repositories.commit([Remember("taught_card", kept), FinishCommand(command.pk, "Accepted", "taught")])
    assert "was forgotten" in page(browser, f"/cards/teach/{command.pk}/").words


@pytest.mark.django_db(transaction=True)
def test_stopping(browser: Client) -> None:
    command = begin(browser)
    assert browser.post(f"/cards/teach/{command.pk}/stop/")["Location"] == "/cards/"
    assert Command.objects.get(action="stop_teaching").arguments == {"command_id": command.pk}
    repositories.commit([FinishCommand(command.pk, "Rejected", "teaching_stopped")])
    browser.post(f"/cards/teach/{command.pk}/stop/")
    assert Command.objects.filter(action="stop_teaching").count() == 1


# ------------------------------------------------------------------ a customer's data


def test_a_name_is_told_to_and_erased_by_the_operator(db: None) -> None:
    """N09.FR.03, N10.FR.03: what is kept about a customer outside of the uplink's tables, too."""
    name(note="Olga Example, +49 1234")
    name(OTHER, "Peter")
    token = IdToken(CARD.lower(), "ISO14443")
    assert any("is named 'Olga'. Olga Example, +49 1234" in line for line in customers.look_up((token,)))
    repositories.commit([EraseCustomer((token,), "")])
    assert [card.name for card in Card.objects.all()] == ["Peter"]
    repositories.commit([EraseCustomer((), "somebody")])
    assert Card.objects.exists()
