from typing import Any

from django.apps import AppConfig


class WorkConfig(AppConfig):
    name = "webui.work"
    label = "work"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Long work"

    def ready(self) -> None:
        from station.store import upkeep

        upkeep.due.connect(_tidy, dispatch_uid="work")


def _tidy(sender: Any, **_: Any) -> None:
    from webui.work import keeping

    keeping.tidy()
