from django.apps import AppConfig


class NoticesConfig(AppConfig):
    """Telling people outside of the web interface that something is wrong."""

    name = "station.notices"
    label = "notices"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Notices"
