"""Sums of the history, so that a chart of ten years reads some thousand rows and not a million.

They hold nothing that the sessions do not: whatever is wrong with them, they are thrown away and made anew
(``adding_up``). Days are those of the station's time zone, and a session counts on the day on which it began.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Card(models.Model):
    """Somebody who has charged: an identifier as sessions have it. Sums go by its number, which is shorter."""

    id_token = models.CharField(max_length=36)
    id_token_type = models.CharField(max_length=20)

    class Meta:
        db_table = "history_card"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["id_token", "id_token_type"], name="history_card_once"),
        ]

    def __str__(self) -> str:
        return f"card {self.pk}"


class Sum(models.Model):
    """What ended sessions of one day have in common, and what they come to together."""

    day = models.DateField()
    evse_id = models.PositiveSmallIntegerField(help_text="0: of none")
    stopped_reason = models.CharField(max_length=20, blank=True)
    currency = models.CharField(max_length=3, blank=True, help_text="empty: they have no cost")
    sessions = models.PositiveIntegerField()
    energy = models.BigIntegerField(help_text="mWh")
    minor = models.BigIntegerField(help_text="minor units of the currency")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.day}: {self.sessions}"


class DaySum(Sum):
    """Of everybody."""

    class Meta:
        db_table = "history_day"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["day", "evse_id", "stopped_reason", "currency"], name="history_day_once")
        ]


class CardSum(Sum):
    """Of one card. (No constraint in the database: cards go when a customer is forgotten.)"""

    card = models.ForeignKey(Card, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")

    class Meta:
        db_table = "history_card_day"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["card", "day", "evse_id", "stopped_reason", "currency"], name="history_card_day_once"
            )
        ]


class Added(models.Model):
    """Which sessions are in the sums: those up to the row ``until``. One row; without it, none are.

    ``last`` is the session in that row: where another is, the table was made anew and the sums mean nothing. ``zone``
    is the time zone of the days, ``tariff_from`` when the first tariff began: sums by a later one lack its costs.
    """

    until = models.BigIntegerField()
    last = models.CharField(max_length=36)
    zone = models.CharField(max_length=64)
    tariff_from = models.DateTimeField(null=True)

    class Meta:
        db_table = "history_added"

    def __str__(self) -> str:
        return f"up to {self.until}"
