"""How the station proves itself to browsers: for administrators, and for whoever is to trust it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from webui.access import record, trials
from webui.accounts.guard import administrator
from webui.https import own, serving
from webui.https.authority import RENEW_BEFORE, names_in
from webui.https.forms import OwnForm

if TYPE_CHECKING:
    from cryptography.x509 import Certificate


@never_cache
@require_safe
@administrator
def https(request: HttpRequest) -> HttpResponse:
    """The page."""
    return _page(request, OwnForm())


def _page(request: HttpRequest, form: OwnForm, status: int = 200) -> HttpResponse:
    uploaded = own.exists()
    shown: dict[str, Any] = {"form": form, "own": uploaded, "on_trial": trials.get(trials.CERTIFICATE) is not None}
    if serving.is_served():
        served = _first(serving.file())
        shown |= {
            "served": _shown(served) if served is not None else None,
            "left_out": _texts(*serving.names()[1:]) if not uploaded else [],
            "root": _root(),
            "address": settings.ENVIRONMENT.web_tls,
        }
    return render(request, "https/https.html", shown, status=status)


@never_cache
@require_POST
@administrator
def upload(request: HttpRequest) -> HttpResponse:
    """A certificate from outside, on trial."""
    form = OwnForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, form, 422)
    wanted: own.Own = form.cleaned_data["own"]
    try:
        own.put(request.user.get_username(), wanted)
    except (OSError, ValueError) as error:
        form.add_error(None, _("It could not be put to use: %(error)s") % {"error": error})
        return _page(request, form, 422)
    record.note(request, "upload_certificate", {"certificate": own.called(wanted.chain[0])})
    return redirect("https")


@never_cache
@require_POST
@administrator
def local(request: HttpRequest) -> HttpResponse:
    """Back to the station's own CA, on trial."""
    if own.exists():
        own.put(request.user.get_username(), None)
        record.note(request, "remove_certificate", {})
    return redirect("https")


# ---------------------------------------------------------------------- for whoever is to trust the station


@never_cache
@require_safe
def trust(request: HttpRequest) -> HttpResponse:
    """How a phone or a computer is made to trust this station. Without a login: nothing on it is a secret."""
    root = _root()
    if root is None:
        raise Http404
    return render(request, "https/trust.html", {"root": root, "own": own.exists()})


@never_cache
@require_safe
def root_certificate(request: HttpRequest) -> HttpResponse:
    """The root, as phones and computers take it (DER)."""
    from cryptography.hazmat.primitives.serialization import Encoding

    root = serving.root()
    if root is None:
        raise Http404
    answer = HttpResponse(root.certificate.public_bytes(Encoding.DER), content_type="application/x-x509-ca-cert")
    answer["Content-Disposition"] = f'attachment; filename="station-{settings.ENVIRONMENT.instance}.crt"'
    return answer


def _root() -> dict[str, Any] | None:
    root = serving.root()
    return _shown(root.certificate) if root is not None else None


def _first(path: Any) -> Certificate | None:
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificates(path.read_bytes())[0]
    except (OSError, ValueError):
        return None


def _shown(certificate: Certificate) -> dict[str, Any]:
    from cryptography.hazmat.primitives import hashes

    left = certificate.not_valid_after_utc - timezone.now()
    digits = certificate.fingerprint(hashes.SHA256()).hex().upper()
    return {
        "name": own.called(certificate),
        "issuer": certificate.issuer.rfc4514_string(),
        "begins": certificate.not_valid_before_utc,
        "ends": certificate.not_valid_after_utc,
        "days": left.days,
        "tone": "bad" if left.days < 0 else "wait" if left < RENEW_BEFORE / 2 else "good",
        "names": _texts(names_in(certificate)),
        "fingerprint": [digits[at : at + 4] for at in range(0, len(digits), 4)],
    }


def _texts(*all_names: Any) -> list[str]:
    return [text for names in all_names for text in (*sorted(names.dns), *sorted(map(str, names.addresses)))]
