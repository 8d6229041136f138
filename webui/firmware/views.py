"""The station's own software for an installer: what runs, how far an update is, what became of earlier ones."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from station.domain.certificates import CertificateUse
from webui.accounts.guard import installer
from webui.commands import filing
from webui.commands.views import followed
from webui.dashboard import latest
from webui.firmware import live, reading, upload
from webui.firmware.forms import InstallForm
from webui.firmware.upload import Refused
from webui.network.reading import has_certificate

INSTALL = "install_firmware"


@never_cache
@require_safe
@installer
def firmware(request: HttpRequest) -> HttpResponse:
    """The page."""
    return render(request, "firmware/firmware.html", _page(request, InstallForm()))


def _page(request: HttpRequest, form: InstallForm) -> dict[str, Any]:
    station = latest.recent()
    slots, failed = reading.all_slots()
    return {
        "now": live.now(station) if station is not None else live.paint(),
        "slots": slots,
        "failed": failed,
        "ended": reading.history(),
        "history": reading.events(),
        "has_root": has_certificate(CertificateUse.MANUFACTURER_ROOT),
        "form": form,
        "asked": followed(request),
        "most": upload.largest(),
        "uploaded": _uploaded(form),
    }


@never_cache
@require_POST
@installer
def begin_upload(request: HttpRequest) -> JsonResponse:
    """Announce a file by its ``size``; the answer says under which id and in what pieces it is taken."""
    station = latest.recent()
    if station is not None and station.firmware is not None:
        return _refused(_("A firmware update is under way. Wait until it is over."), 409)
    size = request.POST.get("size", "")
    if not (size.isdecimal() and len(size) < 16):
        return _refused(_("This file is empty."), 400)
    try:
        return _told(upload.begin(int(size)))
    except Refused as refused:
        return _refused(str(refused), 400)
    except OSError as error:
        return _refused(_("The station cannot keep the file: %(why)s.") % {"why": error.strerror or error}, 507)


@never_cache
@require_POST
@installer
def take_piece(request: HttpRequest, name: str) -> JsonResponse:
    """A piece of the file that begins at byte ``?at=``; 409 with where it is to go on."""
    at = request.GET.get("at", "")
    try:
        if not (at.isdecimal() and len(at) < 16):
            return _told(upload.state(name), 409)
        taken = upload.take(name, int(at), request.body)
        return _told(taken, 200 if taken.at == int(at) + len(request.body) else 409)
    except upload.NotThere:
        return _refused(_("The station does not know this upload any more. Choose the file again."), 404)
    except RequestDataTooBig:
        return _refused(_("This piece is too large."), 413)
    except Refused as refused:
        return _refused(str(refused), 400)
    except OSError as error:
        return _refused(_("The station cannot keep the file: %(why)s.") % {"why": error.strerror or error}, 507)


@never_cache
@require_POST
@installer
async def install(request: HttpRequest) -> HttpResponse:
    """Have what was uploaded checked and installed, as an UpdateFirmware of the CSMS would be."""
    form = InstallForm(request.POST, request.FILES)
    if not await sync_to_async(form.is_valid)() or not _is_whole(form):
        page = sync_to_async(lambda: render(request, "firmware/firmware.html", _page(request, form), status=400))
        return await page()
    data = form.cleaned_data
    arguments = {"transfer_id": data["upload_id"], "certificate": data["certificate"], "signature": data["base64"]}
    command = await filing.file(await request.auser(), INSTALL, arguments)
    await sync_to_async(upload.handed_over)(data["upload_id"])
    await filing.nudge(command)
    return redirect(f"{reverse('firmware')}?asked={command.pk}")


def _is_whole(form: InstallForm) -> bool:
    try:
        if upload.state(form.cleaned_data.get("upload_id") or "").whole:
            return True
    except upload.NotThere:
        pass
    form.add_error(None, _("Choose the firmware image first, and wait until all of it is here."))
    return False


def _uploaded(form: InstallForm) -> upload.Upload | None:
    """What was uploaded already, where the rest of the form has to be typed again."""
    try:
        found = upload.state(str(form.data.get("upload_id", "")))
    except upload.NotThere:
        return None
    return found if found.whole else None


def _told(found: upload.Upload, status: int = 200) -> JsonResponse:
    told = {"id": found.name, "at": found.at, "size": found.size, "piece": upload.PIECE}
    return JsonResponse(told, status=status)


def _refused(why: str, status: int) -> JsonResponse:
    return JsonResponse({"error": why}, status=status)
