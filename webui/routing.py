"""Where WebSockets lead."""

from django.urls import path

from webui.consumers import LiveConsumer, NetworkConsumer

websocket_urlpatterns = [
    path("ws/live/", LiveConsumer.as_asgi()),
    path("ws/network/", NetworkConsumer.as_asgi()),
]
