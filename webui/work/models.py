"""Long work that somebody ordered: a row says what, for whom and what came of it; its folder holds what was made."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models


class Job(models.Model):
    """One piece of work. Filed by the web interface; from then on written by the process that does it (``doing``).

    How far it has come is no column: a file in the job's folder costs the flash nothing (``places``).
    """

    class Status(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        CANCELED = "canceled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=40, help_text="``kinds.Kind.name``")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    who = models.CharField(max_length=150)
    arguments = models.JSONField(default=dict)
    title = models.CharField(max_length=200, help_text="what it is, in the language of whoever ordered it")
    language = models.CharField(max_length=10, blank=True, default="", help_text="in which it is made")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    message = models.CharField(max_length=300, blank=True, default="", help_text="why it failed, for a person")
    file = models.CharField(max_length=120, blank=True, default="", help_text="the name under which it is downloaded")
    media_type = models.CharField(max_length=100, blank=True, default="")
    size = models.BigIntegerField(default=0, help_text="bytes")
    created = models.DateTimeField()
    started = models.DateTimeField(null=True)
    finished = models.DateTimeField(null=True)

    class Meta:
        db_table = "work_job"
        ordering: ClassVar = ["-created", "-id"]
        indexes: ClassVar = [models.Index(fields=["status", "created"], name="work_job_status")]

    def __str__(self) -> str:
        return f"{self.kind} for {self.who}: {self.status}"

    @property
    def is_over(self) -> bool:
        return self.status in (self.Status.DONE, self.Status.FAILED, self.Status.CANCELED)
