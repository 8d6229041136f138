from django.apps import AppConfig


class TariffConfig(AppConfig):
    name = "webui.tariff"
    label = "tariff"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Tariff"
