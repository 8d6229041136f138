"""The station's own software for an installer: what runs, how far an update is, what became of earlier ones."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from station.domain.certificates import CertificateUse
from webui.accounts.guard import installer
from webui.dashboard import latest
from webui.firmware import live, reading
from webui.network.reading import has_certificate


@never_cache
@require_safe
@installer
def firmware(request: HttpRequest) -> HttpResponse:
    """The page."""
    station = latest.recent()
    slots, failed = reading.all_slots()
    context = {
        "now": live.now(station) if station is not None else live.paint(),
        "slots": slots,
        "failed": failed,
        "ended": reading.history(),
        "history": reading.events(),
        "has_root": has_certificate(CertificateUse.MANUFACTURER_ROOT),
    }
    return render(request, "firmware/firmware.html", context)
