from django.apps import AppConfig


class ApiConfig(AppConfig):
    """The JSON API for machines."""

    name = "webui.api"
    label = "api"
