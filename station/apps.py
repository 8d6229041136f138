from django.apps import AppConfig


class StationConfig(AppConfig):
    """Carries the management commands."""

    name = "station"
