"""The web server's application: pages over HTTP, the live view over WebSocket."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import django
from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.apps import apps
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler

from station.project import celery as celery  # the app by which pages give work to the transfer worker
from station.project.plain_http import Application, PlainHttpGate, Receive, Send

# get_asgi_application would set Django up a second time and thereby touch 1 MB that is shared (supervisor.sharing).
if not apps.ready:  # served by another than manage.py
    django.setup()
pages = ASGIHandler()

from webui.routing import websocket_urlpatterns  # noqa: E402 - needs Django to be set up


class SameOrigin:
    """Lets in only WebSockets that a page of this very station opened.

    The allowed names are everybody's here, so the Origin header must agree with the Host header; a page from
    elsewhere cannot forge either. A client without Origin is no browser, so no session can be stolen through it.
    """

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        origin = headers.get(b"origin")
        host = headers.get(b"host", b"").decode("latin-1")
        if origin is not None and urlsplit(origin.decode("latin-1")).netloc.lower() != host.lower():
            await send({"type": "websocket.close"})  # before it is accepted: the browser sees 403
            return
        await self._application(scope, receive, send)


application = PlainHttpGate(
    ProtocolTypeRouter(
        {
            "http": pages,
            "websocket": SameOrigin(AuthMiddlewareStack(URLRouter(websocket_urlpatterns))),
        }
    ),
    settings.ENVIRONMENT.web_tls,
)
