"""Tariffs for the owner's own accounting, and what each ended session came to. The web interface's own, not OCPP's."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

from django.db import models

from station.store.models import Transaction
from webui.tariff.cost import Bill, Kind, Line, Terms, Window
from webui.tariff.money import Money


class Tariff(models.Model):
    """Prices from ``valid_from`` until the next tariff's. What was valid once is never changed, and never removed.

    ``windows`` are prices at certain times: ``{"days": [0, 1], "begin": 1320, "end": 360, "price": "0.19"}``, see
    ``cost.Window``.
    """

    valid_from = models.DateTimeField(unique=True)
    currency = models.CharField(max_length=3, help_text="ISO 4217")
    price = models.DecimalField(max_digits=12, decimal_places=5, help_text="per kWh")
    session_fee = models.DecimalField(max_digits=12, decimal_places=5, default=Decimal(0))
    standing = models.DecimalField(max_digits=12, decimal_places=5, default=Decimal(0), help_text="per minute")
    standing_free = models.PositiveSmallIntegerField(default=0, help_text="minutes")
    windows = models.JSONField(default=list)
    made_at = models.DateTimeField(auto_now_add=True)
    who = models.CharField(max_length=150, blank=True, default="", help_text="the person's name")

    class Meta:
        db_table = "tariff_tariff"
        ordering: ClassVar = ["-valid_from"]

    def __str__(self) -> str:
        return f"{self.price} {self.currency} from {self.valid_from:%F}"

    @property
    def terms(self) -> Terms:
        """For the arithmetic."""
        found = self.windows if isinstance(self.windows, list) else []
        windows = [window for window in map(_window, found) if window is not None]
        return Terms(self.currency, self.price, self.session_fee, self.standing, self.standing_free, tuple(windows))


def _window(stored: Any) -> Window | None:
    """None where the row was written by something else than the form."""
    try:
        days = frozenset(int(day) for day in stored["days"])
        begin, end, price = int(stored["begin"]), int(stored["end"]), Decimal(str(stored["price"]))
    except (TypeError, KeyError, ValueError, InvalidOperation):
        return None
    return Window(days, begin, end, price)


class Cost(models.Model):
    """What an ended session came to. Written once; a later tariff changes nothing."""

    # Without a constraint in the database: the uplink, and firmware older than this table, may delete sessions.
    transaction = models.OneToOneField(
        Transaction, primary_key=True, on_delete=models.CASCADE, db_constraint=False, related_name="cost"
    )
    minor = models.BigIntegerField(help_text="whole minor units of the currency")
    currency = models.CharField(max_length=3)
    lines = models.JSONField(default=list, help_text="[kind, quantity, price, minor] of each line")
    tariff = models.ForeignKey(Tariff, on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "tariff_cost"

    def __str__(self) -> str:
        return f"{self.minor} {self.currency}"

    @property
    def money(self) -> Money:
        return Money(self.minor, self.currency)

    @property
    def bill(self) -> Bill:
        """As it was worked out when the session ended: no time zone or pruned curve can change it since."""
        lines = tuple(
            Line(Kind(kind), Decimal(quantity), Decimal(price), Money(minor, self.currency))
            for kind, quantity, price, minor in self.lines
        )
        return Bill(lines, self.money)


class Settled(models.Model):
    """How far ``costs.settle`` has come: every ended session that started before ``until`` has its cost. One row."""

    until = models.DateTimeField()

    class Meta:
        db_table = "tariff_settled"

    def __str__(self) -> str:
        return f"{self.until:%F %T}"
