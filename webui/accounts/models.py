"""What the web interface knows of people beyond Django's own user; nobody else reads or writes it."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models


class Account(models.Model):
    """What a person has chosen, beside the user that Django keeps. The role is in the user (``accounts.roles``)."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="account"
    )
    language = models.CharField(max_length=10, blank=True, default="", help_text="empty: the browser's")

    class Meta:
        db_table = "accounts_account"
        ordering: ClassVar = ["user"]

    def __str__(self) -> str:
        return str(self.user)
