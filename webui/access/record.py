"""What an administrator changed here, on the record: a command row, done already. It asks nothing of the station."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from station.store.models import Command


def note(user: Any, action: str, arguments: dict[str, Any], message: str = "") -> None:
    """``arguments`` hold no secret."""
    Command.objects.create(
        user=user if getattr(user, "pk", None) else None,
        who=user.get_username(),
        action=action,
        arguments=arguments,
        status=Command.Status.ACCEPTED,
        message=message[:300],
        finished_at=timezone.now(),
    )
