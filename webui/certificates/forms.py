"""Uploading certificates: a file or pasted text, PEM or DER, looked at before the station is bothered."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from station.domain.certificates import CertificateUse

LONGEST = 64 * 1024  # bytes; a chain of four has 8 KiB
STATION = str(CertificateUse.CHARGING_STATION)
USES = [
    (str(CertificateUse.CSMS_ROOT), gettext_lazy("Root of the operator's system")),
    (str(CertificateUse.MANUFACTURER_ROOT), gettext_lazy("Root of the manufacturer (firmware)")),
    (str(CertificateUse.V2G_ROOT), gettext_lazy("V2G root")),
    (str(CertificateUse.MO_ROOT), gettext_lazy("Mobility operator root")),
]


class UploadForm(forms.Form):
    """One certificate, or a chain of them; ``cleaned_data["certificates"]`` is PEM."""

    file = forms.FileField(required=False, label=gettext_lazy("File (PEM or DER)"))
    text = forms.CharField(
        required=False,
        max_length=LONGEST,
        label=gettext_lazy("Or pasted as text"),
        widget=forms.Textarea({"rows": 4, "spellcheck": "false", "placeholder": "-----BEGIN CERTIFICATE-----"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, label_suffix="", use_required_attribute=False)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        file, text = cleaned.get("file"), cleaned.get("text", "")
        if file is None and not text:
            raise forms.ValidationError(_("Choose a file, or paste the text of a certificate."))
        if file is not None and file.size > LONGEST:
            raise forms.ValidationError(_("This file is too large for certificates."))
        return {**cleaned, "certificates": pem_of(file.read() if file is not None else text.encode())}


class RootForm(UploadForm):
    """One root certificate, and what for."""

    use = forms.ChoiceField(choices=USES, label=gettext_lazy("What for"))
    field_order = ("use", "file", "text")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned["certificates"].count("BEGIN CERTIFICATE") > 1:
            raise forms.ValidationError(_("These are several certificates. Upload the root alone."))
        return cleaned


def pem_of(content: bytes) -> str:
    """All certificates in ``content`` as PEM and nothing else; raises ValidationError."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    if b"PRIVATE KEY" in content:
        raise forms.ValidationError(
            _("This holds a private key. Keys are made on the station and are never uploaded; treat this one as lost.")
        )
    try:
        if b"-----BEGIN" in content:
            found = x509.load_pem_x509_certificates(content)
        else:
            found = [x509.load_der_x509_certificate(content)]
    except ValueError:
        raise forms.ValidationError(_("This is no certificate in PEM or DER.")) from None
    return "".join(one.public_bytes(Encoding.PEM).decode() for one in found)
