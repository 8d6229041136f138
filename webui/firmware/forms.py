"""Who signed a firmware: certificate and signature, as files or pasted."""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from webui.certificates.forms import pem_of

LONGEST = 16 * 1024  # bytes
LONGEST_SIGNATURE = 1024  # bytes; RSA of 4096 bits makes 512


class InstallForm(forms.Form):
    """``cleaned_data`` has ``pem`` and ``base64``."""

    upload_id = forms.CharField(required=False, widget=forms.HiddenInput, max_length=36)
    certificate = forms.FileField(required=False, label=gettext_lazy("Signing certificate (PEM or DER)"))
    signature = forms.FileField(required=False, label=gettext_lazy("Signature (file, or Base64 as text)"))
    signature_text = forms.CharField(
        required=False,
        label=gettext_lazy("Or the signature pasted as text"),
        max_length=4_000,
        widget=forms.Textarea({"rows": 3, "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, label_suffix="", use_required_attribute=False, auto_id="install-%s")

    def clean_certificate(self) -> str:
        file = self.cleaned_data["certificate"]
        if file is None:
            raise forms.ValidationError(_("Choose the certificate of who signed the firmware."))
        if file.size > LONGEST:
            raise forms.ValidationError(_("This file is too large for a certificate."))
        pem = pem_of(file.read())
        if pem.count("BEGIN CERTIFICATE") > 1:
            raise forms.ValidationError(_("These are several certificates. Upload that of the signer alone."))
        return pem

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        file, text = data.get("signature"), data.get("signature_text", "")
        field = "signature" if file is not None or not text else "signature_text"
        try:
            data["base64"] = _signature(file.read(LONGEST) if file is not None else text.encode())
        except ValueError as error:
            self.add_error(field, str(error))
        return data


def _signature(content: bytes) -> str:
    """Base64 of what may be Base64 already, or bytes as OpenSSL writes them. Raises ValueError, in words."""
    if not content.strip():
        raise ValueError(_("Choose the signature of the firmware, or paste it."))
    if b"-----BEGIN " in content[:200]:
        raise ValueError(_("This is a certificate or a key, and no signature."))
    try:
        found = b64decode(b"".join(content.split()), validate=True)
    except NotBase64:
        found = content
    if not 32 <= len(found) <= LONGEST_SIGNATURE:
        raise ValueError(_("This is no signature: it is too short or too long for one."))
    return b64encode(found).decode()
