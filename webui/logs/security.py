"""The security log for an installer: read, filtered, downloaded, and cleared."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple

from django import forms
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from station.domain.security import KINDS
from station.store.models import SecurityLogEntry
from webui.accounts.guard import installer
from webui.commands.views import answer_with

PER_PAGE = 50
CLEAR = "clear_security_log"

_SENTENCES: Mapping[str, Any] = {
    "FirmwareUpdated": _("New firmware was installed."),
    "FailedToAuthenticateAtCsms": _("The operator's system refused the station's identity, password or certificate."),
    "CsmsFailedToAuthenticate": _("The station did not accept who answered as the operator's system."),
    "SettingSystemTime": _("The clock was adjusted."),
    "StartupOfTheDevice": _("The station was switched on."),
    "ResetOrReboot": _("The station was restarted."),
    "SecurityLogWasCleared": _("The security log was cleared."),
    "ReconfigurationOfSecurityParameters": _("A security setting was changed."),
    "MemoryExhaustion": _("Disk or memory of the station is nearly full."),
    "InvalidMessages": _("The operator's system sent what is not valid OCPP."),
    "AttemptedReplayAttacks": _("A message came a second time, as a copy."),
    "TamperDetectionActivated": _("The housing was opened."),
    "InvalidFirmwareSignature": _("A firmware was refused: its signature is wrong."),
    "InvalidFirmwareSigningCertificate": _("A firmware was refused: its signer is not trusted."),
    "InvalidCsmsCertificate": _("The certificate of the operator's system was refused."),
    "InvalidChargingStationCertificate": _("A new certificate for the station was refused."),
    "DiscardedRenewedClientCertificate": _("The station's new certificate did not work and was discarded."),
    "InvalidTLSVersion": _("The operator's system offers only TLS that is too old."),
    "InvalidTLSCipherSuite": _("The operator's system offers only encryption that is too weak."),
    "MaintenanceLoginAccepted": _("Somebody logged in to this web interface."),
    "MaintenanceLoginFailed": _("A login to this web interface failed."),
    "ConfigurationChanged": _("A setting was changed."),
}


class Entry(NamedTuple):
    """An entry as it is shown; ``info`` is the station's own note, as the log has it."""

    at: datetime
    sentence: str
    info: str
    critical: bool


class SecurityFilter(forms.Form):
    """Every field may be left empty; what is not empty has to make sense."""

    since = forms.DateField(required=False, label=_("From"), widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    until = forms.DateField(required=False, label=_("To"), widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    kind = forms.ChoiceField(required=False, label=_("What"))
    weight = forms.ChoiceField(
        required=False,
        label=_("Weight"),
        choices=[("", _("all")), ("critical", _("critical, told to the operator")), ("noted", _("noted here only"))],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, label_suffix="", use_required_attribute=False)
        kinds = sorted(((name, sentence(name)) for name in KINDS), key=lambda choice: choice[1])
        self.fields["kind"].choices = [("", _("anything")), *kinds]

    def apply(self, entries: QuerySet[SecurityLogEntry]) -> QuerySet[SecurityLogEntry]:
        """The entries that fit; days are those of the station's time zone."""
        data = self.cleaned_data
        if data["since"]:
            entries = entries.filter(at__gte=_midnight(data["since"]))
        if data["until"]:
            entries = entries.filter(at__lt=_midnight(data["until"]) + timedelta(days=1))
        if data["kind"]:
            entries = entries.filter(type=data["kind"])
        if data["weight"]:
            entries = entries.filter(critical=data["weight"] == "critical")
        return entries

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        since, until = data.get("since"), data.get("until")
        if since and until and since > until:
            self.add_error("until", _("The last day lies before the first."))
        for name in ("since", "until"):
            if (day := data.get(name)) and not 1970 <= day.year <= 9000:
                self.add_error(name, _("There was nothing to note in that year."))
        return data


def sentence(name: str) -> str:
    """What a kind of event means, for a person; an unknown one is shown as it is."""
    return str(_SENTENCES.get(name, name))


def told(entry: SecurityLogEntry) -> Entry:
    return Entry(entry.at, sentence(entry.type), entry.tech_info, entry.critical)


def latest(count: int) -> list[Entry]:
    """The newest entries, newest first."""
    return [told(entry) for entry in SecurityLogEntry.objects.order_by("-id")[:count]]


@never_cache
@require_safe
@installer
def security_log(request: HttpRequest) -> HttpResponse:
    """The page; ``before`` is the id that it begins below."""
    before = request.GET.get("before", "")
    if before and not (before.isdecimal() and len(before) <= 18):
        raise Http404
    chosen = SecurityFilter(request.GET)
    entries: list[SecurityLogEntry] = []
    if chosen.is_valid():
        rows = chosen.apply(SecurityLogEntry.objects.all())
        rows = rows.filter(id__lt=int(before)) if before else rows
        entries = list(rows.order_by("-id")[: PER_PAGE + 1])
    query = request.GET.copy()
    query.pop("before", None)
    context = {
        "form": chosen,
        "filtered": any(query.get(name) for name in chosen.fields),
        "entries": [told(entry) for entry in entries[:PER_PAGE]],
        "older": entries[PER_PAGE - 1].pk if len(entries) > PER_PAGE else None,
        "newest": not before,
        "query": query.urlencode(),
    }
    return render(request, "logs/security.html", context, status=200 if chosen.is_valid() else 400)


@never_cache
@require_POST
@installer
async def clear(request: HttpRequest) -> HttpResponse:
    """Have the station clear the log; it notes that, and by whom."""
    return await answer_with(request, CLEAR, {}, back="security-log")


def _midnight(day: Any) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
