from django.apps import AppConfig


class OwnerConfig(AppConfig):
    name = "webui.owner"
    label = "owner"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Owner"
