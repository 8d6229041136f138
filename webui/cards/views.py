"""The owner's cards: names, blocking, teach-in."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import aget_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from station.store.models import Command, Transaction
from webui.accounts import audit
from webui.accounts.guard import signed_in
from webui.cards.forms import CardForm
from webui.cards.models import Card
from webui.cards.reading import TEACH, Cards, Found, taught
from webui.commands import filing
from webui.commands.views import answer_with

TIME = 60  # s that the station gives to hold a card to the reader
ANSWER = 75  # s after which nothing more is to be expected of the station
MOST_NAMED = 500
SESSIONS = 5

_NOT_TAUGHT = {
    "no_card_read": _("No card was held to the reader within a minute."),
    "teaching_taken": _("Somebody else is teaching in a card at this moment. Try again in a minute."),
    "teaching_stopped": _("Stopped. The reader serves drivers again."),
    "no_reader": _("The station's board does not answer, so no card can be read."),
}


@never_cache
@require_safe
@signed_in
def cards(request: HttpRequest) -> HttpResponse:
    """All of them; with ``?numbers=shown`` the owner looks at the whole numbers."""
    found = Cards(request.user)
    context = {"named": found.named(), "unnamed": found.unnamed(), "numbers": request.GET.get("numbers") == "shown"}
    return render(request, "cards/cards.html", context)


@never_cache
@signed_in
def card(request: HttpRequest, key: str) -> HttpResponse:
    """One card; POST gives it a name, or another one."""
    found = _find(request, key)
    called = found.named.name if found.named else found.masked  # before the form puts what was typed into it
    form = CardForm(request.POST or None, instance=found.named)
    if request.method == "POST" and form.is_valid():
        if found.named is None and Card.objects.count() >= MOST_NAMED:
            form.add_error("name", _("There is no more room for names. Remove one first."))
        elif _save(request, form, found):
            audit.note(request, "card_named", found.masked)
            return redirect("cards")
    context = {"card": found, "called": called, "form": form, "latest": _latest(found)}
    return render(request, "cards/card.html", context, status=400 if form.errors else 200)


def _save(request: HttpRequest, form: CardForm, found: Found) -> bool:
    form.instance.id_token, form.instance.id_token_type = found.id_token, found.type
    if form.instance.pk is None:
        form.instance.named_by = request.user.get_username()
    try:
        with transaction.atomic():
            form.save()
    except IntegrityError:
        form.add_error("name", _("Somebody has just given this card a name. Load the page anew to see it."))
        return False
    return True


def _find(request: HttpRequest, key: str) -> Found:
    found = Cards(request.user).find(key)
    if found is None:
        raise Http404
    return found


def _latest(found: Found) -> list[Transaction]:
    """Its last sessions, of the station's last few thousand."""
    if not found.sessions:
        return []
    newest = list(Transaction.objects.order_by("-started_at").values_list("pk", "id_token", "id_token_type")[:2000])
    own = [pk for pk, token, kind in newest if token.casefold() == found.id_token.casefold() and kind == found.type]
    return list(Transaction.objects.defer("state").filter(pk__in=own[:SESSIONS]).order_by("-started_at"))


@never_cache
@require_POST
@signed_in
def remove(request: HttpRequest, key: str) -> HttpResponse:
    """Forget what the owner said of a card. Its sessions stay, and whether it is blocked."""
    found = _find(request, key)
    if found.named is None:
        raise Http404
    found.named.delete()
    audit.note(request, "card_name_removed", found.masked)
    return redirect("cards")


@never_cache
@require_POST
@signed_in
async def block(request: HttpRequest, key: str, action: str) -> HttpResponse:
    """File that the station is to refuse a card, or no longer."""
    await request.auser()
    found = await sync_to_async(_find)(request, key)
    arguments = {"id_token": found.id_token, "type": found.type}
    return await answer_with(request, f"{action}_card", arguments, back=reverse("card", args=[key]))


# ---------------------------------------------------------------------- teach-in


@never_cache
@require_POST
@signed_in
async def teach(request: HttpRequest) -> HttpResponse:
    """Ask the station for the next card at its reader."""
    command = await filing.file(await request.auser(), TEACH, {})
    await filing.nudge(command)
    return redirect("card-teach", pk=command.pk)


@never_cache
@require_safe
@signed_in
def teaching(request: HttpRequest, pk: int) -> HttpResponse:
    """How a teach-in fares, for the person who asked for it only; htmx gets the piece that changes."""
    command = Command.objects.filter(pk=pk, action=TEACH, user=request.user).first()
    if command is None:
        raise Http404
    context = _progress(request, command)
    return render(request, "cards/_teach.html" if request.htmx else "cards/teach.html", context)


def _progress(request: HttpRequest, command: Command) -> dict[str, Any]:
    age = (timezone.now() - command.filed_at).total_seconds()
    context: dict[str, Any] = {"command": command, "phase": "failed", "time": TIME}
    if command.status == Command.Status.FILED:
        if age < ANSWER:
            return {**context, "phase": "waiting", "left": max(0, min(TIME, round(TIME - age)))}
        return {**context, "why": _("The station did not answer. Try again when it is back.")}
    if command.status != Command.Status.ACCEPTED:
        return {**context, "why": _NOT_TAUGHT.get(command.message, command.message)}
    read = taught(command)
    if read is None:
        return {**context, "why": _("What was read has waited too long and was forgotten. Please read the card again.")}
    found = Cards(request.user)
    return {**context, "phase": "read", "card": found.find(Found(read.id_token, read.type).key), "at": read.at}


@never_cache
@require_POST
@signed_in
async def stop_teaching(request: HttpRequest, pk: int) -> HttpResponse:
    """The person who asked has thought better of it."""
    user = await request.auser()
    command = await aget_object_or_404(Command, pk=pk, action=TEACH, user=user)
    if command.status == Command.Status.FILED:
        await filing.nudge(await filing.file(user, "stop_teaching", {"command_id": command.pk}))
    return redirect("cards")
