"""Uploading a certificate with its key: files or pasted text."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from webui.https import own

LONGEST = 64 * 1024  # bytes, of each part


class OwnForm(forms.Form):
    """``cleaned_data["own"]`` is a certificate that fits."""

    certificate = forms.FileField(
        required=False,
        label=gettext_lazy("Certificate with its chain (PEM)"),
        help_text=gettext_lazy("Often called fullchain.pem."),
    )
    key = forms.FileField(
        required=False,
        label=gettext_lazy("Private key (PEM)"),
        help_text=gettext_lazy("Often called privkey.pem. Leave it out where it is in the other file."),
    )
    text = forms.CharField(
        required=False,
        max_length=LONGEST,
        label=gettext_lazy("Or both pasted as text"),
        widget=forms.Textarea({"rows": 4, "spellcheck": "false", "placeholder": "-----BEGIN CERTIFICATE-----"}),
    )
    password = forms.CharField(
        required=False,
        max_length=200,
        strip=False,
        label=gettext_lazy("Password of the key, if it has one"),
        widget=forms.PasswordInput({"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, label_suffix="", use_required_attribute=False)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        parts = [cleaned.get("certificate"), cleaned.get("key")]
        if any(part is not None and part.size > LONGEST for part in parts):
            raise forms.ValidationError(_("This file is too large for certificates."))
        content = b"\n".join(part.read() for part in parts if part is not None)
        content += b"\n" + cleaned.get("text", "").encode()
        if not content.strip():
            raise forms.ValidationError(_("Choose the files, or paste their text."))
        try:
            return {**cleaned, "own": own.read(content, cleaned.get("password", ""))}
        except own.Unfit as error:
            raise forms.ValidationError(str(error)) from None
