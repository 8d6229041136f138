"""How far the setting-up of the station is, so that it can be left, gone on with, and done by two people."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Commissioning(models.Model):
    """One setting-up, from its beginning to its signature. ``steps`` is what was said and found, by the step's name.

    A step's entry holds ``revision`` (1, 2 …: who saves must have seen the last one), ``by`` and ``at``, ``values``,
    and, as far as it goes, ``commands`` (ids of what was asked of the station), ``outcome`` and ``skipped`` (why).
    """

    begun_at = models.DateTimeField()
    begun_by = models.CharField(max_length=150)
    steps = models.JSONField(default=dict)
    is_open = models.BooleanField(default=True)
    signed_at = models.DateTimeField(null=True)
    signed_by = models.CharField(max_length=150, blank=True, default="", help_text="the account's name")
    protocol = models.JSONField(null=True, help_text="what was signed, as record.collect made it")

    class Meta:
        db_table = "commissioning"
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["is_open"], condition=models.Q(is_open=True), name="commissioning_one_open")
        ]

    def __str__(self) -> str:
        return f"commissioning of {self.begun_at:%F} by {self.begun_by}"
