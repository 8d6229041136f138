"""Searching the device model, and what somebody typed for a variable."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from station.device_model.definition import Variable
from station.device_model.values import DataType
from webui.device_model.reading import Shown


class Search(forms.Form):
    """Every field may be left empty."""

    q = forms.CharField(
        required=False,
        max_length=100,
        label=_("Component or variable"),
        widget=forms.TextInput({"type": "search", "autocomplete": "off"}),
    )
    show = forms.ChoiceField(
        required=False,
        label=_("Show"),
        choices=[
            ("", _("all")),
            ("writable", _("what can be set")),
            ("changed", _("what differs from the factory's")),
            ("reboot", _("what needs a restart")),
        ],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, label_suffix="", use_required_attribute=False)

    def apply(self, found: list[Shown]) -> list[Shown]:
        """Those that fit: every word is part of the name."""
        asked = self.cleaned_data["q"].casefold().split()
        show = self.cleaned_data["show"]
        return [
            item
            for item in found
            if all(word in f"{item.name} {item.component}.{item.label}".casefold() for word in asked)
            and (not show or getattr(item, show))
        ]


def typed(variable: Variable[Any], posted: QueryDict) -> str:
    """The value that was typed or picked, as OCPP writes it; whether it will do the device model says."""
    if variable.data_type is DataType.MEMBER_LIST:
        return ",".join(posted.getlist("value"))
    text = posted.get("value", "")
    return text if variable.data_type is DataType.STRING else text.strip()
