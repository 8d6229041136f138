from typing import Any

from django.apps import AppConfig


class SessionsConfig(AppConfig):
    name = "webui.sessions"
    label = "history"  # "sessions" is Django's own
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Charging sessions"

    def ready(self) -> None:
        from station.store import customers, upkeep
        from webui.work import kinds

        customers.erased.connect(_erase, dispatch_uid="history")
        upkeep.due.connect(_add_up, dispatch_uid="history")
        kinds.register(kinds.Kind("statement", "webui.sessions.statement.make", back="sessions"))


def _add_up(sender: Any, **_: Any) -> None:
    from webui.sessions import adding_up

    adding_up.add_up()


def _erase(sender: Any, tokens: tuple[Any, ...] = (), **_: Any) -> None:
    from webui.sessions import adding_up

    adding_up.erase(tokens)
