"""Notices: what is wrong, who is told of it and how, and a test of that."""

from __future__ import annotations

import logging
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from station.notices import worker
from station.notices.models import Dismissal, Sending, Settings, Trouble
from webui.accounts import audit
from webui.accounts.guard import signed_in
from webui.notices import reading
from webui.notices.forms import NoticesForm
from webui.owner import here

log = logging.getLogger(__name__)


@sensitive_post_parameters("smtp_password", "hook_url")
@never_cache
@signed_in
def notices(request: HttpRequest) -> HttpResponse:
    """The page, and saving what is on it."""
    form = NoticesForm(request.POST or None, instance=_kept())
    if request.method == "POST" and form.is_valid():
        try:
            form.save()
        except OSError as error:
            log.error("secrets cannot be sealed: %s", error)
            form.add_error(None, _("The station cannot keep a secret at the moment: its key file cannot be written."))
        else:
            audit.note(request, "notices_changed")
            return redirect("notices")
    kept = Settings.current()
    context = {
        "form": form,
        "troubles_now": reading.troubles(request.user, all_of_them=True),
        "sendings": reading.lately(),
        "ways": [
            ("mail", _("Send a test e-mail"), bool(kept.smtp_host and kept.mail_to and kept.mail_from)),
            ("hook", _("Call the web address now"), bool(kept.hook_url)),
        ],
    }
    return render(request, "notices/notices.html", context, status=400 if form.errors else 200)


def _kept() -> Settings:
    """What is saved; before anything is, with the name and language that the owner has given elsewhere."""
    kept = Settings.current()
    if kept._state.adding:
        owner = here.settings()
        kept.station_name, kept.language = owner.name, owner.language
    return kept


@never_cache
@require_POST
@signed_in
def test(request: HttpRequest, channel: str) -> HttpResponse:
    """Have a test sent by what is saved; answers with the piece that follows it."""
    if channel not in ("mail", "hook"):
        raise Http404
    now = timezone.now()
    waiting = Sending.objects.filter(channel=channel, what="test", status=Sending.Status.WAITING, user=request.user)
    row = waiting.first()
    if row is None:
        row = Sending.objects.create(made_at=now, next_at=now, channel=channel, what="test", user=request.user)
        audit.note(request, "notices_tested", channel)
    try:
        worker.nudge()
    except OSError as error:
        log.warning("the transfer worker cannot be nudged: %s", error)  # it looks by itself
    if not getattr(request, "htmx", None):
        return redirect("notices")
    return _followed(request, row)


@never_cache
@require_safe
@signed_in
def sending(request: HttpRequest, pk: int) -> HttpResponse:
    """What has become of a test."""
    return _followed(request, get_object_or_404(Sending, pk=pk, what="test"))


def _followed(request: HttpRequest, row: Sending) -> HttpResponse:
    age = (timezone.now() - row.made_at).total_seconds()
    context: dict[str, Any] = {"row": row, "told": reading.told(row), "slow": age > reading.SLOW}
    return render(request, "notices/_test.html", context)


@never_cache
@require_safe
@signed_in
def banner(request: HttpRequest) -> HttpResponse:
    """What is wrong now, as the piece above every page."""
    return _banner(request)


@never_cache
@require_POST
@signed_in
def dismiss(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a trouble out of one's way, until it comes again."""
    trouble = get_object_or_404(Trouble, pk=pk)
    Dismissal.objects.update_or_create(user=request.user, trouble=trouble, defaults={"since": trouble.since})
    if not getattr(request, "htmx", None):
        return redirect("dashboard")
    return _banner(request)


def _banner(request: HttpRequest) -> HttpResponse:
    return render(request, "notices/_banner.html", {"shown": reading.troubles(request.user)})
