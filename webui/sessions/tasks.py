"""The history's task for the transfer worker."""

from __future__ import annotations

from celery import shared_task


@shared_task(name="webui.add_up_sessions", expires=600)
def add_up_sessions() -> int:
    """Add up what has ended since; see ``adding_up``."""
    from webui.sessions import adding_up

    return adding_up.add_up()
