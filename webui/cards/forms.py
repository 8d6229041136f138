"""What the owner says of a card."""

from __future__ import annotations

import zlib
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from webui.cards.models import Card


class CardForm(forms.ModelForm):  # type: ignore[type-arg]
    """Name, colour, note, and whether the number is shown in lists.

    ``mark`` tells whether somebody else has saved meanwhile.
    """

    mark = forms.CharField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = Card
        fields = ("name", "colour", "note", "show_number")
        labels = {  # noqa: RUF012 - Django's way
            "name": _("Name"),
            "colour": _("Colour"),
            "note": _("Note"),
            "show_number": _("Show the whole number in the list"),
        }
        help_texts = {  # noqa: RUF012
            "name": _("Whose card it is, such as “Olga” or “The delivery van”."),
            "note": _("Only for you; it is shown nowhere else."),
        }
        widgets = {  # noqa: RUF012
            "colour": forms.RadioSelect,
            "note": forms.Textarea({"rows": 3, "maxlength": 500}),
            "name": forms.TextInput({"autocomplete": "off"}),
        }

    def __init__(self, *args: Any, instance: Card | None, **kwargs: Any) -> None:
        self._mark = _mark_of(instance)
        super().__init__(
            *args,
            instance=instance,
            initial={"mark": self._mark},
            label_suffix="",
            use_required_attribute=False,
            **kwargs,
        )

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        if not name.isprintable():
            raise forms.ValidationError(_("A name has only signs that can be read."))
        return name

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("mark") != self._mark:
            self.add_error(
                None, _("Somebody else has saved meanwhile. Load the page anew to see it, or save once more.")
            )
            self.data = self.data.copy()
            self.data["mark"] = self._mark
        return data


def _mark_of(card: Card | None) -> str:
    """Tells one state of a card from another; not for security."""
    if card is None:
        return "new"
    told = (card.pk, card.name, card.colour, card.note, card.show_number)
    return f"{zlib.crc32(repr(told).encode()):08x}"
