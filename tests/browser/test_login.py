"""The login page in a browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PASSWORD, Opener

pytestmark = pytest.mark.browser


def test_page_is_well(opened: Opener) -> None:
    watched = opened("/login/", login=False)
    expect(watched.page.get_by_role("heading", name="Log in")).to_be_visible()
    expect(watched.page.get_by_label("User name")).to_be_focused()
    watched.assert_well_everywhere("login")


def test_wrong_password_then_the_page_that_was_wanted_with_the_keyboard_alone(opened: Opener) -> None:
    watched = opened("/sessions/", width=360, login=False)
    page = watched.page
    page.keyboard.type("admin")
    page.keyboard.press("Tab")
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("do not belong together")
    page.get_by_label("Password").focus()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Sessions")).to_be_visible()
    watched.assert_well()


def test_logout(opened: Opener) -> None:
    watched = opened("/sessions/", width=360)
    watched.page.get_by_role("button", name="Log out").click()
    expect(watched.page.get_by_role("heading", name="Log in")).to_be_visible()
    watched.page.goto("/sessions/")
    expect(watched.page.get_by_role("heading", name="Log in")).to_be_visible()
