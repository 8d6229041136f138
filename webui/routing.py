"""Where WebSockets lead."""

from django.urls import path

from webui.consumers import InstallerConsumer, LiveConsumer
from webui.hardware_page.consumer import HardwareConsumer
from webui.trace.consumer import TraceConsumer

websocket_urlpatterns = [
    path("ws/live/", LiveConsumer.as_asgi()),
    path("ws/station/", InstallerConsumer.as_asgi()),
    path("ws/trace/", TraceConsumer.as_asgi()),
    path("ws/hardware/", HardwareConsumer.as_asgi()),
]
