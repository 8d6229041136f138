"""Certificates for an installer: whom the station trusts, how it proves itself, and for how long yet."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from asgiref.sync import sync_to_async
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from station.domain.certificates import CertificateUse
from station.store.models import Certificate
from webui.accounts.guard import installer
from webui.certificates import reading
from webui.certificates.forms import STATION, RootForm, UploadForm
from webui.commands import filing
from webui.commands.views import followed


@never_cache
@require_safe
@installer
def certificates(request: HttpRequest) -> HttpResponse:
    """The page; ``?asked=`` names the command whose outcome is to be followed."""
    return render(request, "certificates/certificates.html", _page(request))


def _page(request: HttpRequest, **forms: Any) -> dict[str, Any]:
    return {
        "groups": reading.groups(),
        "station_use": STATION,
        "csms_root_use": str(CertificateUse.CSMS_ROOT),
        "pending": reading.pending(),
        "asked": followed(request),
        "history": reading.history(),
        "root": RootForm(prefix="root"),
        "own": UploadForm(prefix="own"),
        **forms,
    }


@never_cache
@require_POST
@installer
async def install_root(request: HttpRequest) -> HttpResponse:
    """Another root certificate."""
    filed = await sync_to_async(_root)(request)
    if isinstance(filed, HttpResponse):
        return filed
    return await _file(request, "install_certificate", filed)


def _root(request: HttpRequest) -> HttpResponse | dict[str, Any]:
    form = RootForm(request.POST, request.FILES, prefix="root")
    if not form.is_valid():
        return render(request, "certificates/certificates.html", _page(request, root=form), status=422)
    return {"use": form.cleaned_data["use"], "certificate": form.cleaned_data["certificates"]}


@never_cache
@require_POST
@installer
async def install_own(request: HttpRequest) -> HttpResponse:
    """The signed answer to the pending request, with its chain."""
    filed = await sync_to_async(_own)(request)
    if isinstance(filed, HttpResponse):
        return filed
    return await _file(request, "install_certificate", filed)


def _own(request: HttpRequest) -> HttpResponse | dict[str, Any]:
    form = UploadForm(request.POST, request.FILES, prefix="own")
    if not form.is_valid():
        return render(request, "certificates/certificates.html", _page(request, own=form), status=422)
    return {"use": STATION, "certificate": form.cleaned_data["certificates"]}


@never_cache
@require_POST
@installer
async def renew(request: HttpRequest) -> HttpResponse:
    """A new key pair and a request for a certificate: for the operator's system, or (``by=hand``) for a person."""
    return await _file(request, "renew_certificate", {"send": request.POST.get("by") != "hand"})


@never_cache
@require_POST
@installer
async def delete(request: HttpRequest, certificate_id: str) -> HttpResponse:
    """Take a certificate away."""
    if not await Certificate.objects.filter(pk=certificate_id).aexists():
        raise Http404
    return await _file(request, "delete_certificate", {"certificate_id": certificate_id})


@never_cache
@require_safe
@installer
def signing_request(request: HttpRequest) -> HttpResponse:
    """The pending certificate signing request as a file."""
    pending = reading.pending()
    if pending is None or not pending.csr:
        raise Http404
    response = HttpResponse(pending.csr, content_type="application/pkcs10")
    name = f"station_{datetime.now(UTC):%Y%m%dT%H%M%SZ}.csr"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


async def _file(request: HttpRequest, action: str, arguments: dict[str, Any]) -> HttpResponse:
    command = await filing.file(await request.auser(), action, arguments)
    await filing.nudge(command)
    return redirect(f"{reverse('certificates')}?asked={command.pk}")
