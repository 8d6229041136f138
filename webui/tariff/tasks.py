"""The tariff's tasks for the transfer worker."""

from __future__ import annotations

from celery import shared_task


@shared_task(name="webui.settle_costs", expires=3600)
def settle_costs() -> int:
    """Keep what ended sessions have come to; see ``costs.settle_all``."""
    from webui.tariff import costs

    return costs.settle_all()
