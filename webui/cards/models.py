"""What the owner says of a card. Whether it is blocked is the station's to know: see ``webui.cards.reading``."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _


class Card(models.Model):
    """A card with a name."""

    class Colour(models.TextChoices):
        GREEN = "green", _("Green")
        BLUE = "blue", _("Blue")
        VIOLET = "violet", _("Violet")
        RED = "red", _("Red")
        AMBER = "amber", _("Amber")
        GREY = "grey", _("Grey")

    id_token = models.CharField(max_length=36)
    id_token_type = models.CharField(max_length=20)
    lookup = models.CharField(max_length=72, db_index=True, help_text="id_token without regard to case")
    name = models.CharField(max_length=60)
    colour = models.CharField(max_length=10, choices=Colour.choices, default=Colour.GREEN)
    note = models.TextField(max_length=500, blank=True, default="")
    show_number = models.BooleanField(default=False)
    named_by = models.CharField(max_length=150, blank=True, default="")
    named_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["name", "id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["lookup", "id_token_type"], name="card_named_once")]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.lookup = self.id_token.casefold()  # identifiers are case insensitive
        super().save(*args, **kwargs)
