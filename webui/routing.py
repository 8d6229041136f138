"""Where WebSockets lead."""

from django.urls import path

from webui.consumers import LiveConsumer

websocket_urlpatterns = [path("ws/live/", LiveConsumer.as_asgi())]
