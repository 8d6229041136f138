"""The guard: pages and WebSockets by role, now and after something was taken away."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser, User
from django.test import Client, RequestFactory

from tests.webui.accounts.conftest import PASSWORD
from webui.accounts import guard
from webui.accounts.origin import came_from
from webui.accounts.roles import Role, give
from webui.consumers import InstallerConsumer

pytestmark = pytest.mark.django_db


def ended_with(user: Any) -> dict[str, Any]:
    """What an installer's line says to ``user``, after the handshake."""

    async def run() -> dict[str, Any]:
        line = WebsocketCommunicator(InstallerConsumer.as_asgi(), "/ws/station/")
        line.scope |= {"user": user}
        connected, _ = await line.connect()
        assert connected
        return dict(await line.receive_output())

    return asyncio.run(run())


def test_a_line_for_installers(layer: Any) -> None:
    assert ended_with(AnonymousUser()) == {"type": "websocket.close", "code": guard.SIGNED_OUT}
    assert ended_with(User(username="olga")) == {"type": "websocket.close", "code": guard.FORBIDDEN}
    switched_off = User(username="ines", is_staff=True, is_active=False)
    assert ended_with(switched_off) == {"type": "websocket.close", "code": guard.FORBIDDEN}
    assert guard.refusal({"user": User(username="ines", is_staff=True)}, Role.INSTALLER) == 0


def test_a_line_that_has_been_open_for_a_while(person: User) -> None:
    give(person, Role.INSTALLER)
    person.save()
    client = Client()
    client.force_login(person)
    scope = {"user": person, "session": client.session}
    assert guard._refusal_now(scope, Role.INSTALLER) == 0
    assert guard._refusal_now(scope, Role.ADMINISTRATOR) == guard.FORBIDDEN
    User.objects.update(is_staff=False)
    assert guard._refusal_now(scope, Role.INSTALLER) == guard.FORBIDDEN
    assert guard._refusal_now(scope, Role.OWNER) == 0
    person.set_password("another long word")
    person.save()
    assert guard._refusal_now(scope, Role.OWNER) == guard.SIGNED_OUT
    person.set_password(PASSWORD)
    person.is_active = False
    person.save()
    assert guard._refusal_now(scope, Role.OWNER) == guard.SIGNED_OUT
    client.force_login(person)
    client.session.flush()
    assert guard._refusal_now({"user": person, "session": client.session}, Role.OWNER) == guard.SIGNED_OUT
    person.delete()
    assert guard._refusal_now({"user": person}, Role.OWNER) == guard.SIGNED_OUT


@pytest.mark.parametrize(
    ("referer", "back"),
    [
        ("http://testserver/network/2/?x=1", "/network/2/?x=1"),
        ("http://testserver", "/"),
        ("https://evil.example/network/", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_a_form_without_a_session_leads_back_to_its_page(referer: str, back: str) -> None:
    assert came_from(RequestFactory().post("/network/order/", headers={"Referer": referer})) == back
    answer = Client().post("/network/order/", headers={"Referer": referer})
    assert answer.headers["Location"].startswith("/login/")
    assert Client().get(answer.headers["Location"]).context["next"] == back


def test_a_page_that_has_grown_old_leads_back_to_its_form(person: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(person)
    answer = client.post("/network/order/", headers={"Referer": "http://testserver/network/"})
    assert answer.status_code == 403
    assert b'href="/network/"' in answer.content
    assert b'data-draft="wait"' in answer.content
