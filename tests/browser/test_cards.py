"""The owner's cards in a browser: a card is read, named, blocked and forgotten, by the keyboard alone on a phone."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opener, Web
from tests.support.waiting import wait_until

pytestmark = pytest.mark.browser
NUMBER = "04C0FFEE1234"


@pytest.fixture
def clean(web: Web) -> Iterator[Web]:
    """Somebody charged with a card that has a name, and somebody with one that has none; nothing stays."""
    for number, named in (("04A11CE01122", "Alice"), ("04B0B0B03344", "The delivery van")):
        web.rows(
            "INSERT INTO cards_card (id_token, id_token_type, lookup, name, colour, note, show_number, named_by,"
            " named_at) VALUES (?, 'ISO14443', ?, ?, ?, '', 0, 'admin', '2025-06-01 12:00:00')",
            *(number, number.casefold(), named, "violet" if named == "Alice" else "blue"),
        )
    web.rows(
        "INSERT INTO station_journal (at, kind, evse_id, data) VALUES ('2025-06-01 12:00:00', 'card_read', 1, ?)",
        json.dumps({"id_token": "04BADBADBAD0", "type": "ISO14443"}),
    )
    blocked(web, "04B0B0B03344")
    yield web
    web.rows("DELETE FROM cards_card")
    web.rows("DELETE FROM station_remembered WHERE key IN ('blocked_cards', 'taught_card')")
    web.rows("DELETE FROM station_journal WHERE kind = 'card_read'")
    web.rows("DELETE FROM station_command WHERE action LIKE '%card' OR action = 'stop_teaching'")


def blocked(web: Web, *numbers: str) -> None:
    remembered(web, "blocked_cards", [[number, "ISO14443"] for number in numbers])


def remembered(web: Web, key: str, value: object) -> None:
    web.rows("INSERT OR REPLACE INTO station_remembered (key, value) VALUES (?, ?)", key, json.dumps(value))


def filed(web: Web, action: str) -> int:
    """The id of the command that the page has filed, which nobody has done yet."""
    query = "SELECT id FROM station_command WHERE action = ? AND status = 'Filed'"
    wait_until(lambda: web.rows(query, action), f"{action} is filed")
    return int(web.rows(query, action)[0][0])


def done(web: Web, command: int, message: str) -> None:
    web.rows("UPDATE station_command SET status = 'Accepted', message = ? WHERE id = ?", message, command)


def test_from_the_reader_to_a_name_and_blocked(opened: Opener, clean: Web) -> None:
    watched = opened("/cards/", width=360)
    page = watched.page
    expect(page.get_by_role("listitem").filter(has_text="The delivery van")).to_contain_text("Blocked")
    expect(page.get_by_role("link", name="Open Card •• BAD0")).to_be_visible()
    watched.assert_well_everywhere("cards")

    page.get_by_role("button", name="Read a new card").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Hold the card to the reader now")).to_be_visible()
    watched.assert_well_everywhere("cards-teach")
    command = filed(clean, "teach_card")
    value = {"command_id": command, "id_token": NUMBER, "type": "ISO14443", "at": "2025-06-01T12:00:00Z"}
    remembered(clean, "taught_card", value)
    done(clean, command, "taught")
    expect(page.get_by_role("heading", name="The card was read")).to_be_visible()
    expect(page.get_by_text(NUMBER)).to_be_visible()

    page.get_by_role("link", name="Give it a name").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Name", exact=True).fill("")
    page.keyboard.press("Enter")
    expect(page.get_by_text("This field is required.")).to_be_visible()
    watched.errors.clear()  # the browser notes the answer's status, 400
    page.get_by_label("Name", exact=True).fill("Olga")
    page.get_by_label("Green").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_label("Note").fill("Her second one.")
    page.get_by_role("button", name="Save").focus()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Olga").click()
    expect(page.get_by_label("Blue")).to_be_checked()
    watched.assert_well_everywhere("card")

    page.get_by_role("button", name="Block it here").focus()
    page.keyboard.press("Enter")
    command = filed(clean, "block_card")
    blocked(clean, NUMBER)
    done(clean, command, "Done.")
    expect(page.get_by_text("The card is blocked at this station.")).to_be_visible()
    expect(page.get_by_role("button", name="Unblock it")).to_be_visible()
    page.get_by_text("Remove the name").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("link", name="Open Card •• 1234")).to_be_visible()
    watched.assert_well()
