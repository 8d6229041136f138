"""What the owner has set for this station, and what only the web interface needs to know."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Settings(models.Model):
    """One row. The time zone is not here: it is ClockCtrlr.TimeZone, the station's own."""

    THE_ONE: ClassVar = 1

    language = models.CharField(max_length=10, default="en", help_text="of pages whose reader has chosen none")
    currency = models.CharField(max_length=3, default="EUR", help_text="ISO 4217, what a new tariff begins with")
    name = models.CharField(max_length=60, blank=True, default="", help_text="of the station, as people call it")
    place = models.CharField(max_length=100, blank=True, default="")
    letterhead_name = models.CharField(max_length=100, blank=True, default="", help_text="who gives the receipt")
    letterhead_address = models.TextField(blank=True, default="", help_text="lines")
    vat_id = models.CharField(max_length=30, blank=True, default="")
    vat_rate = models.DecimalField(max_digits=5, decimal_places=2, null=True, help_text="per cent, in all prices")
    serial = models.PositiveIntegerField(default=0, help_text="grows with every change, so that no two people collide")

    class Meta:
        db_table = "owner_settings"

    def __str__(self) -> str:
        return self.name or "settings"
