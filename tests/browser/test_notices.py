"""Notices in a browser: a trouble above every page, the settings, and a test that says what went wrong."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opener, Web
from tests.support.waiting import wait_until

pytestmark = pytest.mark.browser


@pytest.fixture
def trouble(web: Web) -> Iterator[Web]:
    web.rows(
        "INSERT INTO notices_trouble (key, kind, evse_id, codes, since, times, told)"
        " VALUES ('fault:2', 'fault', 2, '[\"GroundFailure\"]', '2025-06-01 12:00:00', 0, 1)"
    )
    yield web
    for table in ("dismissal", "trouble", "sending", "settings"):
        web.rows(f"DELETE FROM notices_{table}")  # noqa: S608 - our own names


def test_from_a_trouble_to_a_test(opened: Opener, trouble: Web) -> None:
    watched = opened("/notices/", width=360)
    page = watched.page
    above = page.locator("#troubles")
    expect(above).to_contain_text("Fault at charging point 2")
    watched.assert_well_everywhere("notices")

    page.get_by_label("Send e-mails").check()
    page.get_by_label("To", exact=True).fill("olga@example.org")
    page.get_by_label("Mail server").fill("mail.example.org")
    page.get_by_label("User").fill("station")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Save").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("This is needed for e-mails.")).to_be_visible()
    expect(page.get_by_label("Mail server")).to_have_value("mail.example.org")
    watched.errors.clear()  # the browser notes the answer's status, 400
    watched.assert_well()
    page.get_by_label("Sender's address").fill("station@example.org")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Save").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("One is set; it is never shown.")).to_be_visible()

    page.get_by_role("button", name="Send a test e-mail").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("The station sends a test …")).to_be_visible()
    wait_until(lambda: trouble.rows("SELECT id FROM notices_sending"), "the test is on its way")
    trouble.rows("UPDATE notices_sending SET status = 'failed', word = 'credentials', detail = '535 no'")
    expect(page.locator("#test-mail")).to_contain_text("does not take this user and password. (535 no)")
    expect(page.locator("#sent-list")).to_contain_text("failed")
    watched.assert_well_everywhere("notices-tested")

    page.get_by_role("button", name="Hide: Fault at charging point 2").focus()
    page.keyboard.press("Enter")
    expect(above).to_be_empty()
    page.goto("/")
    expect(above).to_be_empty()
    watched.assert_well()
