"""The room of accounts in a browser: somebody is invited, chooses a password, sets up a second step, makes a token."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PASSWORD, Opener, Web
from tests.webui.accounts.conftest import code_of

pytestmark = pytest.mark.browser
NEW = "seven brave ducks"


def test_from_the_invitation_to_the_audit_log(opened: Opener, web: Web) -> None:
    boss = opened("/people/")
    page = boss.page
    more = page.get_by_text("More", exact=True)
    for width in (1440, 768, 360):
        page.set_viewport_size({"width": width, "height": 900})
        expect(page.get_by_role("link", name="Administration")).to_be_hidden()
        more.click()
        expect(page.get_by_role("link", name="Administration")).to_have_attribute("aria-current", "page")
        boss.assert_well()
        page.keyboard.press("Escape")
        expect(page.get_by_role("link", name="Administration")).to_be_hidden()
    page.set_viewport_size({"width": 1440, "height": 1000})
    page.get_by_role("link", name="Add somebody").click()
    page.get_by_label("User name").fill("Ines Installer")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("Only letters, digits")).to_be_visible()
    # The browser itself notes the status; that is no fault of the page.
    boss.errors = [error for error in boss.errors if "422" not in error]
    boss.assert_well_everywhere("people-add")
    page.get_by_label("User name").fill("ines")
    page.get_by_label("Role").select_option("installer")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("heading", name="Invitation for ines")).to_be_visible()
    password = re.search(r"[a-z2-9]{4}(?:-[a-z2-9]{4}){3}", page.inner_text("main"))
    assert password is not None
    boss.assert_well_everywhere("people-invitation")
    page.get_by_role("link", name="I have passed it on").click()
    boss.assert_well_everywhere("people")

    # With the keyboard alone, on a phone.
    ines = opened("/network/", width=360, login=False)
    mine = ines.page
    mine.keyboard.type("ines")
    mine.keyboard.press("Tab")
    mine.keyboard.type(password[0])
    mine.keyboard.press("Enter")
    expect(mine.get_by_role("heading", name="Choose a password")).to_be_visible()
    ines.assert_well_everywhere("login-password")
    mine.set_viewport_size({"width": 360, "height": 800})
    mine.get_by_label("New password").fill(NEW)
    mine.get_by_label("Once more").fill(NEW)
    mine.keyboard.press("Enter")
    expect(mine.get_by_role("heading", name="Network")).to_be_visible()

    mine.goto("/account/second-step/")
    mine.get_by_text("Type it instead").click()
    secret = mine.locator(".secret").inner_text().replace(" ", "")
    ines.assert_well_everywhere("second-step")
    mine.get_by_label("Code", exact=True).fill(code_of(secret, time.time()))
    mine.keyboard.press("Enter")
    expect(mine.get_by_role("heading", name="Recovery codes")).to_be_visible()
    expect(mine.locator(".codes li")).to_have_count(10)
    ines.assert_well_everywhere("recovery-codes")
    recovery = mine.locator(".codes li").first.inner_text()
    mine.get_by_role("link", name="I have kept them").click()
    ines.assert_well_everywhere("account")

    mine.goto("/tokens/")
    mine.get_by_label("What is it for?").fill("House")
    mine.get_by_role("button", name="Make it").click()
    expect(mine.locator(".once .secret")).to_have_text(re.compile(r"st_[\w-]{43}"))
    ines.assert_well_everywhere("tokens")
    mine.get_by_role("button", name="Log out").click()

    mine.get_by_label("User name").fill("ines")
    mine.get_by_label("Password").fill(NEW)
    mine.keyboard.press("Enter")
    expect(mine.get_by_role("heading", name="Second step")).to_be_visible()
    expect(mine.get_by_label("Code", exact=True)).to_be_focused()
    ines.assert_well_everywhere("login-code")
    mine.keyboard.type(recovery)
    mine.keyboard.press("Enter")
    expect(mine.get_by_role("heading", name="Overview")).to_be_visible()

    page.goto("/audit/")
    expect(page.get_by_text("logged in with a recovery code")).to_be_visible()
    boss.assert_well_everywhere("audit")
    page.goto("/people/")
    page.get_by_role("link", name="ines").click()
    boss.assert_well_everywhere("person")
    page.get_by_role("button", name="Log out everywhere").click()
    mine.reload()
    expect(mine.get_by_role("heading", name="Log in")).to_be_visible()


def test_nothing_typed_is_lost_when_the_login_has_run_out(opened: Opener, web: Web) -> None:
    watched = opened("/network/2/", width=360)
    page = watched.page
    page.get_by_label("Address of the operator's system").fill("wss://typed.example/ocpp")
    page.get_by_label("Security profile").select_option("3")
    page.get_by_label("Longest wait for an answer").fill("77")
    web.rows("DELETE FROM django_session")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    expect(page.get_by_text("What you had typed is kept")).to_be_visible()
    watched.assert_well()
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_text("What you had typed is in the form again.")).to_be_visible()
    expect(page.get_by_label("Address of the operator's system")).to_have_value("wss://typed.example/ocpp")
    expect(page.get_by_label("Security profile")).to_have_value("3")
    expect(page.get_by_label("Longest wait for an answer")).to_have_value("77")
    watched.assert_well_everywhere("typed-again")
    page.reload()  # it was put back once, and is kept no longer
    expect(page.get_by_label("Longest wait for an answer")).to_have_value("30")

    # With htmx, on a page that stays; and a password is not kept.
    page.goto("/device-model/SecurityCtrlr.BasicAuthPassword/")
    page.get_by_label("New value").fill("a-secret-of-twenty-letters")
    page.get_by_role("button", name="Set").click()
    assert "secret" not in (page.evaluate("sessionStorage.getItem('draft')") or "")
    page.goto("/device-model/OCPPCommCtrlr.HeartbeatInterval/")
    page.get_by_label("New value").fill("44")
    web.rows("DELETE FROM django_session")
    page.get_by_role("button", name="Set").click()
    expect(page.get_by_text("What you had typed is kept")).to_be_visible()
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_label("New value")).to_have_value("44")

    # Somebody else is quicker, and one decides; the form knows the new version at once.
    page.goto("/device-model/OCPPCommCtrlr.HeartbeatInterval/")
    web.rows(
        "INSERT INTO station_variable (component, component_instance, evse_id, connector_id,"
        " variable, variable_instance, attribute, value)"
        " VALUES ('OCPPCommCtrlr', '', 0, 0, 'HeartbeatInterval', '', 'Actual', '99')"
    )
    page.get_by_label("New value").fill("45")
    page.get_by_role("button", name="Set").click()
    expect(page.get_by_role("alert")).to_contain_text("Somebody else has changed this")
    expect(page.get_by_role("alert")).to_contain_text("99")
    watched.errors = [error for error in watched.errors if "409" not in error]
    watched.assert_well_everywhere("conflict")
    page.get_by_role("button", name="Set").click()
    expect(page.get_by_role("alert")).to_have_count(0)
    assert web.rows("SELECT count(*) FROM station_command WHERE action = 'set_variable' AND arguments LIKE '%45%'") == [
        (1,)
    ]

    page.goto("/admin/")
    page.get_by_role("link", name="Variables").click()
    expect(page.get_by_text("HeartbeatInterval")).to_be_visible()
    assert not watched.errors
    assert not watched.foreign
