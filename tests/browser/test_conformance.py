"""The conformance page in a browser: well at every width, reached from the logs."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opener

pytestmark = pytest.mark.browser


def test_conformance_is_well(opened: Opener) -> None:
    watched = opened("/logs/")
    watched.page.get_by_role("link", name="Report", exact=True).click()
    expect(watched.page.get_by_role("heading", name="Conformance", level=1)).to_be_visible()
    expect(watched.page.get_by_text("B · Provisioning").first).to_be_visible()
    watched.assert_well_everywhere("conformance")
