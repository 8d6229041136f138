"""What an administrator changed here, on the record: a command that says what was, for the station's security log."""

from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync

from station.store.models import Command
from webui.commands import filing

ACTION = "web_security"


def note(user: Any, what: str, facts: dict[str, Any]) -> None:
    """``facts`` hold no secret; ``user`` None is the station itself."""
    command = Command.objects.create(
        user=user,
        who=user.get_username() if user is not None else "",
        action=ACTION,
        arguments={"what": what, **facts},
    )
    async_to_sync(filing.nudge)(command)
