"""Login and logout. Every login, and every one that fails, becomes a security event of the station."""

from __future__ import annotations

import math
from typing import Any

from asgiref.sync import async_to_sync
from django.contrib.auth import get_user_model
from django.contrib.auth import views as auth_views
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from station.store.models import Command
from webui.access import gate
from webui.accounts.roles import role_of
from webui.accounts.throttle import throttle
from webui.commands import filing

LOGIN = "login"
LOCKED = "locked"
NOT_FROM_HERE = "not_from_here"
_WRONG = ("invalid_login", "inactive")


class LoginForm(AuthenticationForm):
    """Django's own, with the words and hints of this page; without a look at the password while locked out."""

    error_messages = {  # noqa: RUF012 - Django's own way to say it
        "invalid_login": _("This name and password do not belong together. Mind upper and lower case."),
        "inactive": _("This account is switched off."),
        LOCKED: _("Too many wrong passwords. Try again in %(seconds)d seconds."),
    }

    def __init__(self, request: HttpRequest | None = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self.fields["username"].label = _("User name")
        self.fields["username"].widget.attrs.update(autocapitalize="none", autocomplete="username", spellcheck="false")

    def clean(self) -> dict[str, Any]:
        seconds = throttle.locked_for(_origin(self.request)) if self.request else 0.0
        if seconds > 0:
            raise ValidationError(self.error_messages[LOCKED], code=LOCKED, params={"seconds": math.ceil(seconds)})
        return super().clean()

    def confirm_login_allowed(self, user: Any) -> None:
        super().confirm_login_allowed(user)
        if self.request and (why := gate.refusal(role_of(user), self.request)):
            raise ValidationError(why, code=NOT_FROM_HERE)


class Login(auth_views.LoginView):
    template_name = "accounts/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        return super().get_context_data(**more, here_in_words=gate.open_here(self.request))

    def form_valid(self, form: Any) -> HttpResponse:
        answer = super().form_valid(form)
        origin = _origin(self.request)
        throttle.succeeded(origin)
        user = form.get_user()
        _note(user, {"accepted": True, "user": user.get_username(), "origin": origin})
        return answer

    def form_invalid(self, form: Any) -> HttpResponse:
        if any(form.has_error("__all__", code) for code in _WRONG):
            origin = _origin(self.request)
            # Only a name that there is: people type passwords into the wrong field.
            name = form.cleaned_data.get("username", "")
            known = get_user_model().objects.filter(username=name).first()
            facts: dict[str, Any] = {"accepted": False, "user": known.get_username() if known else "", "origin": origin}
            if seconds := throttle.failed(origin):
                facts["locked"] = int(seconds)
            _note(known, facts)
        elif form.has_error("__all__", NOT_FROM_HERE):
            # The password was right, so nobody is locked out by it; but nobody came in, and that is worth a line.
            name = form.cleaned_data.get("username", "")
            facts = {"accepted": False, "user": name, "origin": _origin(self.request)}
            _note(get_user_model().objects.filter(username=name).first(), facts)
        return super().form_invalid(form)


class Logout(auth_views.LogoutView):
    next_page = "login"


def _origin(request: HttpRequest) -> str:
    """The address that the request came from. No header is believed: nothing of ours stands in front."""
    return str(request.META.get("REMOTE_ADDR") or "")


def _note(user: Any, facts: dict[str, Any]) -> None:
    """File it for the station, which writes the security log and tells the CSMS."""
    command = Command.objects.create(user=user, who=facts["user"], action=LOGIN, arguments=facts)
    async_to_sync(filing.nudge)(command)
