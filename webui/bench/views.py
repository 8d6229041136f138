"""The bench panel: the hand at the simulated board. There is none where the board is real."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from webui.accounts.guard import signed_in
from webui.bench import board, client, forms
from webui.pieces import mark

REMEMBERED = 5  # cards
FIRST_CARD = "04A2B3C4D5E6F7"


def _on_the_bench(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Only for those who are logged in, and only where the board is simulated."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not client.exists():
            raise Http404
        return view(request, *args, **kwargs)

    return never_cache(signed_in(guarded))


def _cards(request: HttpRequest) -> list[str]:
    kept = request.session.get("bench_cards")
    return [str(uid) for uid in kept][:REMEMBERED] if isinstance(kept, list) and kept else [FIRST_CARD]


@require_safe
@_on_the_bench
def bench(request: HttpRequest) -> HttpResponse:
    """The whole panel."""
    state, away = _board()
    return render(request, "bench/bench.html", {**_live(state, away), "cards": _cards(request)})


@require_safe
@_on_the_bench
def bench_state(request: HttpRequest) -> HttpResponse:
    """What changed since the pieces that the page names in ``seen``; 204 where nothing did."""
    state, away = _board()
    live = _live(state, away)
    known = set(re.findall(r"[a-z0-9-]+:[0-9a-f]{8}", request.GET.get("seen", "")[:2000]))
    changed = [piece for piece in live["pieces"] if f"{piece['id']}:{piece['mark']}" not in known]
    if not changed and request.GET.get("seen"):
        return HttpResponse(status=204)
    return render(request, "bench/_changes.html", {**live, "changed": changed})


@require_POST
@_on_the_bench
def bench_evse(request: HttpRequest, evse_id: int, action: str) -> HttpResponse:
    """Something done at one EVSE."""
    if action not in forms.FOR_EVSE or evse_id > 999:
        raise Http404
    return _do(request, forms.FOR_EVSE[action](request.POST), f"/evse/{evse_id}/{action}")


@require_POST
@_on_the_bench
def bench_board(request: HttpRequest, action: str) -> HttpResponse:
    """Something done at the board as a whole."""
    if action not in forms.FOR_BOARD:
        raise Http404
    form = forms.FOR_BOARD[action](request.POST)
    if action == "rfid" and form.is_valid():
        uid = form.cleaned_data["uid"]
        request.session["bench_cards"] = [uid, *(card for card in _cards(request) if card != uid)][:REMEMBERED]
    return _do(request, form, f"/{action}")


def _do(request: HttpRequest, form: forms.Action, path: str) -> HttpResponse:
    drive = isinstance(form, forms.Drive) and not form.data.get("stop")
    tone, said = "good", _("The demo drive has begun.") if drive else _("Done.")
    if not form.is_valid():
        tone, said = "bad", " ".join(str(error) for errors in form.errors.values() for error in errors)
    else:
        try:
            client.request("POST", path, form.body())
        except client.Refused as refusal:
            tone, said = "bad", refusal.why
            if refusal.status == 404:
                raise Http404(refusal.why) from refusal
        except client.BenchAway as failure:
            tone, said = "bad", _("The simulated board does not answer (%(why)s).") % {"why": failure}
    if not request.htmx:
        return redirect("bench")
    # The remembered cards stand on the panel only; the dashboard's button has no place for them.
    cards = _cards(request) if request.htmx.target == "bench-said" else []
    response = render(request, "bench/_said.html", {"tone": tone, "said": said, "cards": cards})
    # The panel listens and looks at once instead of at its next turn.
    response["HX-Trigger"] = "bench-changed"
    return response


def _board() -> tuple[board.Board | None, str]:
    try:
        return board.read(client.state()), ""
    except client.Refused as refusal:
        return None, refusal.why
    except client.BenchAway as failure:
        return None, str(failure)


def _live(state: board.Board | None, away: str) -> dict[str, Any]:
    """The pieces of the panel that live, each with an id and a mark of its content."""
    pieces = [_piece("bench-away", "bench/_away.html", {"away": away})]
    if state is not None:
        pieces.append(_piece("bench-board", "bench/_board.html", {"board": state}))
        for evse in state.evses:
            here = {"evse": evse, "faults": forms.FAULTS}
            pieces += [
                _piece(f"bench-{evse.evse_id}-{name}", f"bench/_{name}.html", here)
                for name in ("readout", "controls", "drive")
            ]
    return {
        "board": state,
        "pieces": pieces,
        "by_evse": [
            {"evse": evse, "pieces": [p for p in pieces if p["id"].startswith(f"bench-{evse.evse_id}-")]}
            for evse in (state.evses if state else ())
        ],
        "seen": ",".join(f"{piece['id']}:{piece['mark']}" for piece in pieces),
    }


def _piece(name: str, template: str, context: dict[str, Any]) -> dict[str, str]:
    html = render_to_string(template, context)
    return {"id": name, "html": html, "mark": mark(html)}
