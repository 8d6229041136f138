from django.apps import AppConfig


class CardsConfig(AppConfig):
    """The cards' names: what only the web interface knows of them."""

    name = "webui.cards"
    label = "cards"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from webui.cards import erasing  # noqa: F401 - hears when a customer's data are told or taken out
