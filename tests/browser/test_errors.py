"""Error pages in a browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opener

pytestmark = pytest.mark.browser


def test_nothing_there(opened: Opener) -> None:
    watched = opened("/sessions/no-such-session/")
    expect(watched.page.get_by_role("heading", name="There is nothing here")).to_be_visible()
    # The browser itself notes the status; that is no fault of the page.
    watched.errors = [error for error in watched.errors if "404" not in error]
    watched.assert_well_everywhere("errors")
    watched.page.get_by_role("link", name="To the overview").click()
    watched.page.wait_for_url("**/")
