"""The key pad: a code instead of a card starts or ends a session (C04)."""

from __future__ import annotations

import re

from asgiref.sync import sync_to_async
from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from webui.accounts.guard import signed_in
from webui.commands.views import answer_with
from webui.keypad import offer

CODE = re.compile(r"[0-9A-Za-z*#+\-]{1,36}")  # IdTokenType.idToken has 36 characters; a licence plate is a code, too


class Entry(forms.Form):
    """A code, and at which EVSE it is meant."""

    evse = forms.IntegerField(min_value=1, max_value=999)
    code = forms.CharField(max_length=36)

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        if not CODE.fullmatch(code):
            raise forms.ValidationError(_("A code has only digits, letters and the signs * # + -."))
        return code


@never_cache
@require_safe
@signed_in
def keypad(request: HttpRequest) -> HttpResponse:
    """The page; 404 where the station takes no codes."""
    if not offer.takes_key_codes():
        raise Http404
    return render(request, "keypad/keypad.html", {"evses": offer.evse_ids(), "keys": "123456789*0#"})


@sensitive_post_parameters("code")
@never_cache
@require_POST
@signed_in
async def enter(request: HttpRequest) -> HttpResponse:
    """File the code as a start at its EVSE; the station ends the session instead where that code began it."""
    if not await sync_to_async(offer.takes_key_codes)():
        raise Http404
    entry = Entry(request.POST)
    if not entry.is_valid():
        said = " ".join(str(error) for errors in entry.errors.values() for error in errors)
        return render(request, "keypad/_refused.html", {"said": said}, status=422)
    evse_id = entry.cleaned_data["evse"]
    if evse_id not in await sync_to_async(offer.evse_ids)():
        raise Http404
    arguments = {"evse_id": evse_id, "id_token": entry.cleaned_data["code"], "type": offer.KEY_CODE}
    return await answer_with(request, "start", arguments)
