from django.apps import AppConfig


class AccessConfig(AppConfig):
    """Where people may come from, the station's VPN, and how the line to it is protected."""

    name = "webui.access"
    label = "access"
