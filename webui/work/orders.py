"""Ordering long work, and the nudge that tells the transfer worker to look."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language

from webui.work import places
from webui.work.models import Job

log = logging.getLogger(__name__)

TASK = "transfers.work"
MOST_WAITING = 4  # jobs of one person that are not over
FORGOTTEN = timedelta(seconds=4)  # after which somebody who looks reminds the worker of what waits


class TooMany(Exception):
    """This person has enough under way already."""


def order(user: Any, kind: str, title: str, arguments: dict[str, Any]) -> Job:
    """File a job and tell the worker. The same order again, while the first is under way, is that one.

    ``title`` says what it is, in the language of whoever orders. Raises TooMany.
    """
    with transaction.atomic():
        open_ = Job.objects.filter(user=user, status__in=(Job.Status.WAITING, Job.Status.RUNNING))
        for job in (jobs := list(open_)):
            if job.kind == kind and job.arguments == arguments and not places.canceled(job.pk):
                return job
        if len(jobs) >= MOST_WAITING:
            raise TooMany
        job = Job.objects.create(
            kind=kind,
            user=user,
            who=user.get_username(),
            arguments=arguments,
            title=title[:200],
            language=get_language() or "",
            created=timezone.now(),
        )
    nudge()
    return job


def nudge() -> bool:
    """Have the worker look; False where it could not be told (whoever looks at the job next tells it again)."""
    from celery import current_app

    try:
        current_app.send_task(TASK, expires=60, ignore_result=True)
    except Exception as failure:  # whatever the broker's client raises: the row is what counts
        log.warning("long work is filed, but the transfer worker could not be told: %s", failure)
        return False
    return True


def remind(job: Job) -> None:
    """Tell the worker again of a job that should have been begun by now."""
    age = abs(timezone.now() - job.created)
    if job.status == Job.Status.WAITING and age > FORGOTTEN and not places.somebody_works():
        nudge()


def cancel(job: Job) -> None:
    """Have it stop, or not begin. Raises OSError."""
    if job.is_over:
        return
    places.cancel(job.pk)
    # What nobody has begun is over at once; what runs says so itself.
    now = timezone.now()
    Job.objects.filter(pk=job.pk, status=Job.Status.WAITING).update(status=Job.Status.CANCELED, finished=now)


def settled(job: Job) -> Job:
    """The job as it is: one whose worker died is over, whatever its row says."""
    if job.status == Job.Status.RUNNING and not places.somebody_works():
        job.refresh_from_db()
        if job.status == Job.Status.RUNNING:
            changed = Job.objects.filter(pk=job.pk, status=Job.Status.RUNNING)
            changed.update(status=Job.Status.FAILED, finished=timezone.now(), message="")
            job.refresh_from_db()
    return job
