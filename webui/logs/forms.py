"""Whose card is it: what the station needs to find a customer by an identifier of the operator's own."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

# IdTokenEnumType; NoAuthorization identifies nobody.
TYPES = ("ISO14443", "ISO15693", "KeyCode", "Local", "Central", "eMAID", "MacAddress")


class CustomerForm(forms.Form):
    customer_identifier = forms.CharField(max_length=64, label=_("Customer number"))
    id_token = forms.CharField(max_length=36, label=_("Card or token"))
    type = forms.ChoiceField(choices=[(kind, kind) for kind in TYPES], label=_("Kind"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, label_suffix="", use_required_attribute=False)
