"""Start, stop, unlock, master pass: a row is filed, the uplink is nudged, and the page follows what becomes of it.

Async views: under Daphne they run on the process's one event loop, which keeps the channel layer's one connection.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import aget_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from station.store.models import Command
from webui import words
from webui.accounts.guard import signed_in
from webui.commands import filing
from webui.dashboard import latest

ACTIONS = frozenset({"start", "stop", "unlock"})
PATIENCE = timedelta(seconds=15)  # then the page says that nothing came back
FINISHED, ACCEPTED = "command-finished", "command-accepted"  # events in the browser
GIVEN_UP = timedelta(seconds=75)  # the uplink drops what it finds older than 60 s; a little more for its answer


@never_cache
@require_POST
@signed_in
async def file_command(request: HttpRequest, evse_id: int, action: str) -> HttpResponse:
    """File ``action`` for an EVSE. Answers with the piece that follows it, or without htmx with the dashboard."""
    station = latest.recent()
    known = station is None or any(evse.evse_id == evse_id for evse in station.evses)
    if action not in ACTIONS or not 1 <= evse_id <= 999 or not known:
        raise Http404
    return await answer_with(request, action, {"evse_id": evse_id})


@never_cache
@require_POST
@signed_in
async def master_pass(request: HttpRequest) -> HttpResponse:
    """After a master card: end the sessions at the EVSEs named by ``evse``, or without one at all of them (C16)."""
    named = request.POST.getlist("evse")
    if not all(name.isdecimal() and len(name) <= 3 for name in named):
        raise Http404
    arguments = {"evse_ids": sorted({int(name) for name in named}) or None}
    return await answer_with(request, "master_pass", arguments)


async def answer_with(
    request: HttpRequest, action: str, arguments: dict[str, Any], *, back: str = "dashboard"
) -> HttpResponse:
    """File ``action`` and answer with the piece that follows it, or without htmx with the page ``back``."""
    command = await filing.file(await request.auser(), action, arguments)
    told = await filing.nudge(command)
    if not request.htmx:
        return redirect(back)
    return _outcome(request, command, told=told)


@never_cache
@require_safe
@signed_in
async def command(request: HttpRequest, pk: int) -> HttpResponse:
    """What has become of a command."""
    return _outcome(request, await aget_object_or_404(Command, pk=pk))


def followed(request: HttpRequest) -> Command | None:
    """The command whose outcome a page is to show, named by ``?asked=``."""
    asked = request.GET.get("asked", "")
    return Command.objects.filter(pk=asked).first() if asked.isdecimal() and len(asked) < 10 else None


def _outcome(request: HttpRequest, command: Command, *, told: bool = True) -> HttpResponse:
    age = timezone.now() - command.filed_at
    # A clock that was set back makes the row lie in the future: it is then as good as new.
    phase = "waiting" if age < PATIENCE else "late" if age < GIVEN_UP else "given_up"
    accepted = command.status == Command.Status.ACCEPTED
    if command.status != Command.Status.FILED:
        phase = "finished"
    response = render(
        request,
        "commands/_outcome.html",
        {
            "command": command,
            "phase": phase,
            "told": told,
            "accepted": accepted,
            "said": words.outcome(command.action, accepted, command.message),
        },
    )
    if phase == "finished":
        # Pages that show what it may have changed look again.
        response["HX-Trigger"] = f"{FINISHED}, {ACCEPTED}" if accepted else FINISHED
    return response
