from django.apps import AppConfig


class CommissioningConfig(AppConfig):
    name = "webui.commissioning"
    label = "commissioning"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from webui.work import kinds

        paper = "webui.commissioning.paper"
        kinds.register(kinds.Kind("commissioning-protocol", f"{paper}.protocol", back="commissioning"))
        kinds.register(kinds.Kind("commissioning-label", f"{paper}.label", back="commissioning"))
