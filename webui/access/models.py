"""What the web interface alone knows of access, HTTPS and VPN. Nobody else reads or writes it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Setting(models.Model):
    """One thing that an administrator has set: ``rules``, ``vpn``. Secrets within are sealed."""

    key = models.CharField(max_length=20, primary_key=True)
    value = models.JSONField(default=dict)

    class Meta:
        db_table = "access_setting"
        ordering: ClassVar = ["key"]

    def __str__(self) -> str:
        return self.key


class Trial(models.Model):
    """A change that is taken back by itself unless somebody keeps it; one of a kind at a time."""

    kind = models.CharField(max_length=20, primary_key=True)
    who = models.CharField(max_length=150)
    ends_at = models.DateTimeField()
    before = models.JSONField(default=dict)  # what comes back

    class Meta:
        db_table = "access_trial"
        ordering: ClassVar = ["kind"]

    def __str__(self) -> str:
        return self.kind
