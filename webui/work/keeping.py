"""What is kept of long work, and for how long. The flash is small, and a file can be made again."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from webui.work import places
from webui.work.models import Job

KEPT_FOR = timedelta(days=7)
MOST_JOBS = 30
MOST_BYTES = 256 * 1024 * 1024  # of all files together


def tidy() -> int:
    """Remove what is too old or too much, the oldest first, and folders of nobody; returns the number of jobs."""
    now, kept, size = timezone.now(), 0, 0
    gone = []
    for job in Job.objects.order_by("-created"):
        if not job.is_over:
            continue
        kept += 1
        size += job.size
        # A clock that was set back makes it lie in the future: then it is as good as new.
        if kept > MOST_JOBS or size > MOST_BYTES or now - (job.finished or job.created) > KEPT_FOR:
            gone.append(job)
            size -= job.size
    for job in gone:
        remove(job)
    _sweep()
    return len(gone)


def remove(job: Job) -> None:
    """The row first: a folder without a row is swept later, a row without its file would be a promise."""
    key = job.pk
    job.delete()
    places.remove(key)


def give_up() -> int:
    """Mark what was being worked at by a process that is no more; to be called by the one who holds the lock."""
    return Job.objects.filter(status=Job.Status.RUNNING).update(
        status=Job.Status.FAILED, finished=timezone.now(), message=""
    )


def _sweep() -> None:
    known = {str(key) for key in Job.objects.values_list("pk", flat=True)}
    for place in places.root().iterdir():
        if place.is_dir() and _is_id(place.name) and place.name not in known:
            places.remove(place.name)


def _is_id(name: str) -> bool:
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False
