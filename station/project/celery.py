"""Celery: two workers of one thread each, hardware and transfers, with a queue of their own.

No beat process and no prefork pool: both are dear in memory, and neither survives an absent Redis well.
"""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "station.project.settings")

from django.conf import settings

HARDWARE_QUEUE = "hardware"
TRANSFER_QUEUE = "transfers"

app = Celery("station", include=["station.transfers.tasks", "webui.tariff.tasks", "webui.sessions.tasks"])
app.conf.update(
    broker_url=settings.ENVIRONMENT.broker,
    broker_transport_options={
        # Two appliances may share a Redis.
        "global_keyprefix": f"station-{settings.ENVIRONMENT.instance}:",
        # A task that is not acknowledged for so long is given out again; a firmware download may take hours.
        "visibility_timeout": 12 * 3600,
        "socket_connect_timeout": 5,
    },
    # A worker waits for Redis for good, be it away at its start or later.
    broker_connection_retry=True,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_channel_error_retry=True,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    # Whoever sends a task must not hang where Redis is away; it tries again by its own rules.
    task_publish_retry=False,
    task_ignore_result=True,
    task_default_queue=TRANSFER_QUEUE,
    task_create_missing_queues=True,
    task_acks_late=False,
    task_serializer="json",
    accept_content=["json"],
    worker_prefetch_multiplier=1,
    worker_enable_remote_control=False,
    worker_send_task_events=False,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    worker_proc_alive_timeout=10,
    enable_utc=True,
)
