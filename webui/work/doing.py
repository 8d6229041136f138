"""The work itself, in a process of its own that ends with it: ``manage.py work``, started by the transfer worker."""

from __future__ import annotations

import logging
import os
import shutil
import time
from pathlib import Path

from django.db import DatabaseError
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from webui.work import keeping, kinds, places
from webui.work.models import Job

log = logging.getLogger(__name__)

LOOK = 0.25  # s between two looks whether it is canceled, and two words of how far it is
SPARE = 64 * 1024 * 1024  # bytes that must stay free: the database goes on
MOST_BYTES = 128 * 1024 * 1024  # of one file


class Canceled(Exception):
    """Whoever ordered it wants it no more."""


class Refused(Exception):
    """Why it cannot be done, in a sentence for a person, in the language of ``Job.language``."""


class Work:
    """What a maker is given: what to do, where to put it, and how to say how far it is.

    A maker writes the file to ``path``, calls ``tell`` often (it costs next to nothing, and raises Canceled) and
    ``deliver`` once. It may raise Refused; whatever else it raises is logged, and told as a mistake of the station.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self.arguments = job.arguments if isinstance(job.arguments, dict) else {}
        self.folder: Path = places.folder(job.pk)  # what else is put there goes with the job
        self.path: Path = places.result(job.pk)
        self._looked = 0.0

    def tell(self, done: int, total: int) -> None:
        """So far it is. Raises Canceled, and Refused where the file grows too large for the station."""
        now = time.monotonic()
        if now - self._looked < LOOK and done < total:
            return
        self._looked = now
        if places.canceled(self.job.pk):
            raise Canceled
        self._check_room()
        places.tell(self.job.pk, done, total)

    def deliver(self, name: str, media_type: str) -> None:
        """The file is whole: under which name it is downloaded, and what it is."""
        self.job.file, self.job.media_type = name[:120], media_type

    def _check_room(self) -> None:
        if self.path.exists() and self.path.stat().st_size > MOST_BYTES:
            raise Refused(_("The file would become too large. Choose less, for example a shorter period."))
        if shutil.disk_usage(self.folder).free < SPARE:
            raise Refused(_("There is no room left on the station. Remove files that are no longer needed."))


def work_off() -> int:
    """Do all that waits, the oldest first, and return how much that was; nothing where another process does it."""
    with places.working() as alone:
        if not alone:
            return 0
        keeping.give_up()
        keeping.tidy()
        done = 0
        while (job := Job.objects.filter(status=Job.Status.WAITING).order_by("created").first()) is not None:
            do(job)
            done += 1
        return done


def do(job: Job) -> None:
    """Do one job to its end, whatever that is."""
    job.status, job.started = Job.Status.RUNNING, timezone.now()
    job.save(update_fields=["status", "started"])
    with translation.override(job.language or translation.get_language()):
        job.status, job.message = _outcome(job)
    job.finished = timezone.now()
    if job.status != Job.Status.DONE:
        job.file = ""
        places.remove(job.pk)
    job.save()
    log.info("%s for %s: %s", job.kind, job.who, job.status)


def _outcome(job: Job) -> tuple[str, str]:
    kind = kinds.known(job.kind)
    if kind is None:
        return Job.Status.FAILED, _("This station does not know such work.")
    try:
        work = Work(job)
        if places.canceled(job.pk):
            return Job.Status.CANCELED, ""
        kind.load()(work)
        _keep(work)
    except Canceled:
        return Job.Status.CANCELED, ""
    except Refused as refused:
        return Job.Status.FAILED, str(refused)[:300]
    except (OSError, MemoryError) as error:
        log.error("%s could not be made: %s", job.kind, error or type(error).__name__)
        return Job.Status.FAILED, _("There is no room for it on the station.")
    except DatabaseError as error:
        log.error("%s could not be made: %s", job.kind, error)
        return Job.Status.FAILED, _("The database could not be read. Try again in a moment.")
    except Exception:
        log.exception("%s could not be made", job.kind)
        return Job.Status.FAILED, _("The station made a mistake. It has been noted in the log.")
    return Job.Status.DONE, ""


def _keep(work: Work) -> None:
    """On the disk before anybody is told of it. Raises OSError."""
    if not work.job.file:
        raise ValueError(f"{work.job.kind} delivered nothing")
    with work.path.open("rb+") as file:
        os.fsync(file.fileno())
    work.job.size = work.path.stat().st_size
