"""Who logs out leaves no EVSE in maintenance behind."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from asgiref.sync import async_to_sync
from django.utils import timezone

from station.store.models import Command

LATELY = timedelta(hours=12)  # longer nobody stays in maintenance without a new beginning


def end_maintenance(sender: Any, user: Any = None, **_: Any) -> None:
    """Heard at every logout; files a command only for somebody who has begun one lately."""
    if user is None or not user.is_authenticated:
        return
    begun = Command.objects.filter(user=user, action="begin_maintenance", filed_at__gt=timezone.now() - LATELY)
    if begun.exists():
        from webui.commands import filing

        command = Command.objects.create(user=user, who=user.get_username(), action="end_maintenance", arguments={})
        async_to_sync(filing.nudge)(command)
