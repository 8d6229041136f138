"""What the API remembers of its callers."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class FiledOnce(models.Model):
    """An Idempotency-Key that a caller has used, and the command that was filed for it; kept for a day."""

    caller = models.CharField(max_length=40, help_text="token:<id> or user:<id>")
    key = models.CharField(max_length=64)
    fingerprint = models.CharField(max_length=64, help_text="digest of what was asked")
    command_id = models.BigIntegerField()
    at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "api_filed_once"
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [models.UniqueConstraint(name="filed_once", fields=["caller", "key"])]

    def __str__(self) -> str:
        return f"{self.caller} {self.key}"
