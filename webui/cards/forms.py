"""What the owner says of a card."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from webui.cards.models import Card


class CardForm(forms.ModelForm):  # type: ignore[type-arg]
    """Name, colour, note, and whether the number is shown in lists."""

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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, label_suffix="", use_required_attribute=False)

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        if not name.isprintable():
            raise forms.ValidationError(_("A name has only signs that can be read."))
        return name
