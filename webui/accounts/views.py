"""Login, in as many steps as it takes, and logout. Every login, and every one that fails, is told to the station.

Between the password and the last step nobody is logged in: what is known by then waits in a session that opens
nothing, for ten minutes.
"""

from __future__ import annotations

import math
import time
from typing import Any

from asgiref.sync import async_to_sync
from django.contrib.auth import get_user_model, login
from django.contrib.auth import views as auth_views
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from station.store.models import Command
from webui.access import gate, rules
from webui.accounts import audit, device, invitations, language, second_step, signins
from webui.accounts.forms import CodeForm, LoginForm, NewPasswordForm
from webui.accounts.models import Account
from webui.accounts.origin import origin_of
from webui.accounts.roles import role_of
from webui.accounts.throttle import Attempt, throttle
from webui.commands import filing

LOGIN = "login"
NOT_FROM_HERE = "not_from_here"
BACKEND = "django.contrib.auth.backends.ModelBackend"
PENDING = "login"  # in the session
PATIENCE = 600  # s from the password to the last step
CODES = 5  # wrong ones until the password is asked again
_WRONG = ("invalid_login", "inactive")


def attempt_of(request: HttpRequest, name: str) -> tuple[Attempt, Any]:
    """Who tries to be ``name``, and the user of that name, if there is one."""
    user = get_user_model().objects.filter(username=name).first() if name else None
    place = rules.origin_of(request).place
    return Attempt(origin_of(request), place, name, user is not None, device.of(request, user)), user


def wait(seconds: float) -> str:
    """How long one has to wait, for people."""
    whole = math.ceil(seconds)
    if whole > 120:
        minutes = math.ceil(whole / 60)
        return ngettext(
            "Too many wrong attempts. Try again in %(minutes)d minute.",
            "Too many wrong attempts. Try again in %(minutes)d minutes.",
            minutes,
        ) % {"minutes": minutes}
    return ngettext(
        "Too many wrong attempts. Try again in %(seconds)d second.",
        "Too many wrong attempts. Try again in %(seconds)d seconds.",
        whole,
    ) % {"seconds": whole}


class _Form(LoginForm):
    """Without a look at the password while one has to wait."""

    def clean(self) -> dict[str, Any]:
        self.attempt, self.known = attempt_of(self.request, self.cleaned_data.get("username", ""))
        if (seconds := throttle.locked_for(self.attempt)) > 0:
            raise ValidationError(wait(seconds), code="locked")
        return super().clean()

    def confirm_login_allowed(self, user: Any) -> None:
        super().confirm_login_allowed(user)
        until = invitations.until(user, Account.objects.filter(user=user).first())
        if until is not None and until < timezone.now():
            raise ValidationError(_("This invitation is over. Ask an administrator for another one."), code="over")
        if self.request and (why := gate.refusal(role_of(user), self.request)):
            raise ValidationError(why, code=NOT_FROM_HERE)


class Login(auth_views.LoginView):
    """The first step: name and password."""

    template_name = "accounts/login.html"
    authentication_form = _Form
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        # The hint where the first password stands is for a station that nobody has logged in to yet.
        fresh = not get_user_model().objects.exclude(last_login=None).exists()
        facts = {"fresh": fresh, "draft": "wait", "here_in_words": gate.open_here(self.request)}
        return {**super().get_context_data(**kwargs), **facts}

    def form_valid(self, form: Any) -> HttpResponse:
        user = form.get_user()
        self.request.session.flush()  # a session that somebody else has handed out is not the one to log in with
        self.request.session[PENDING] = {
            "user": user.pk,
            "proof": user.get_session_auth_hash(),
            "until": time.time() + PATIENCE,
            "next": self.get_redirect_url(),
        }
        return _go_on(self.request, user)

    def form_invalid(self, form: Any) -> HttpResponse:
        if any(form.has_error("__all__", code) for code in _WRONG):
            note_failure(self.request, form.attempt, form.known)
        elif form.has_error("__all__", NOT_FROM_HERE):
            # The password was right, so nobody is locked out by it; but nobody came in, and that is worth a line.
            name = form.cleaned_data.get("username", "")
            _note(form.known, {"accepted": False, "user": name, "origin": form.attempt.origin})
        return super().form_invalid(form)


class Logout(auth_views.LogoutView):
    next_page = "login"

    @method_decorator(never_cache)
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            signins.end(signins.SignIn.objects.filter(session_key=request.session.session_key))
            audit.note(request, "logged_out")
        return super().post(request, *args, **kwargs)


# ---------------------------------------------------------------- the further steps


def _go_on(request: HttpRequest, user: Any) -> HttpResponse:
    """To what is still to do before ``user`` is in."""
    account, pending = second_step.account_of(user), request.session[PENDING]
    if second_step.is_on(account) and not pending.get("coded"):
        return redirect("login-code")
    if invitations.until(user, account) is not None:
        return redirect("login-password")
    if second_step.required_of(user) and not second_step.is_on(account):
        return redirect("login-second-step")
    return finish(request, user, account)


def finish(request: HttpRequest, user: Any, account: Account) -> HttpResponse:
    """All steps are done: log ``user`` in, and go to the page that was wanted."""
    pending = request.session[PENDING]
    request.session.flush()
    login(request, user, BACKEND)
    if account.language:
        request.session[language.KEY] = account.language
    attempt, _user = attempt_of(request, user.get_username())
    throttle.succeeded(attempt)
    signins.begin(request, user)
    _note(user, {"accepted": True, "user": user.get_username(), "origin": attempt.origin})
    answer = HttpResponseRedirect(_wanted(request, pending.get("next", "")))
    device.remember(request, answer, user)
    return answer


def pending_user(request: HttpRequest) -> Any:
    """Who has given the right password here and is not in yet; None: nobody, or it was too long ago."""
    pending = request.session.get(PENDING)
    if not isinstance(pending, dict) or not 0 <= pending["until"] - time.time() <= PATIENCE:
        return None
    user = get_user_model().objects.filter(pk=pending["user"], is_active=True).first()
    if user is None or not constant_time_compare(pending["proof"], user.get_session_auth_hash()):
        return None
    return user


def _anew(request: HttpRequest) -> HttpResponse:
    """Back to the first step, with the page that was wanted."""
    pending = request.session.get(PENDING) or {}
    wanted = pending.get("next", "") if isinstance(pending, dict) else ""
    request.session.pop(PENDING, None)
    return auth_views.redirect_to_login(wanted or "/", resolve_url("login"))


@sensitive_post_parameters("code")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """The second step: the app's code, or a recovery code."""
    user = pending_user(request)
    if user is None:
        return _anew(request)
    account = second_step.account_of(user)
    if not second_step.is_on(account) or request.session[PENDING].get("coded"):
        return _go_on(request, user)
    form = CodeForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        status = 422 if form.is_bound else 200
        return render(request, "accounts/code.html", _code_page(form, account), status=status)
    attempt, _user = attempt_of(request, user.get_username())
    if (seconds := throttle.locked_for(attempt)) > 0:
        form.add_error("code", wait(seconds))
        return render(request, "accounts/code.html", _code_page(form, account), status=429)
    given = form.cleaned_data["code"]
    if second_step.readable(account) and second_step.passes(account, given):
        return _coded(request, user)
    if second_step.recovers(account, given):
        left = account.recovery_codes.count()
        audit.write(user, user.get_username(), "recovery_code_used", origin=attempt.origin, left=left)
        return _coded(request, user)
    note_failure(request, attempt, user)
    tries = request.session[PENDING].get("tries", 0) + 1
    if tries >= CODES:
        return _anew(request)
    request.session[PENDING] = {**request.session[PENDING], "tries": tries}
    form.add_error("code", _("This code is not right, or was used already. The app shows another every 30 seconds."))
    return render(request, "accounts/code.html", _code_page(form, account), status=422)


def _code_page(form: CodeForm, account: Account) -> dict[str, Any]:
    return {
        "draft": "wait",
        "form": form,
        "readable": second_step.readable(account),
        "has_codes": account.recovery_codes.exists(),
    }


def _coded(request: HttpRequest, user: Any) -> HttpResponse:
    request.session[PENDING] = {**request.session[PENDING], "coded": True}
    return _go_on(request, user)


@sensitive_post_parameters("password", "again")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def own_password(request: HttpRequest) -> HttpResponse:
    """Whoever was invited chooses a password now."""
    user = pending_user(request)
    if user is None:
        return _anew(request)
    account = second_step.account_of(user)
    coded = request.session[PENDING].get("coded") or not second_step.is_on(account)
    if invitations.until(user, account) is None or not coded:
        return _go_on(request, user)
    form = NewPasswordForm(user, request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return render(
            request, "accounts/choose.html", {"form": form, "draft": "wait"}, status=422 if form.is_bound else 200
        )
    user.set_password(form.cleaned_data["password"])
    user.save(update_fields=["password"])
    invitations.accept(account)
    audit.write(user, user.get_username(), "password_chosen", origin=origin_of(request))
    request.session[PENDING] = {**request.session[PENDING], "proof": user.get_session_auth_hash()}
    return _go_on(request, user)


# ---------------------------------------------------------------- what is told


def note_failure(request: HttpRequest, attempt: Attempt, user: Any) -> None:
    """A wrong password or code: count it, and tell the station.

    Only a name that there is, is told: people type passwords into the wrong field.
    """
    facts: dict[str, Any] = {
        "accepted": False,
        "user": user.get_username() if user else "",
        "origin": attempt.origin,
    }
    if seconds := throttle.failed(attempt):
        facts["locked"] = int(seconds)
    _note(user, facts)


def _note(user: Any, facts: dict[str, Any]) -> None:
    """File it for the station, which writes the security log and tells the CSMS."""
    command = Command.objects.create(user=user, who=facts["user"], action=LOGIN, arguments=facts)
    async_to_sync(filing.nudge)(command)


def _wanted(request: HttpRequest, wanted: str) -> str:
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if wanted and safe else resolve_url("dashboard")
