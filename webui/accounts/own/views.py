"""One's own account: password, language, second step, the browsers one is logged in with, tokens."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from station.store.secrets import SecretDamaged, seal, unseal
from webui.accounts import audit, language, second_step, signins, tokens
from webui.accounts import views as door
from webui.accounts.forms import ChangePasswordForm, CodeForm, ConfirmForm, LanguageForm, TokenForm
from webui.accounts.guard import signed_in
from webui.accounts.models import SignIn, Token
from webui.accounts.roles import Role, has_role, role_of
from webui.accounts.throttle import throttle

SETTING_UP = "second_step"  # in the session: the sealed secret that the app is being given


@never_cache
@require_safe
@signed_in
def account(request: HttpRequest) -> HttpResponse:
    """The page."""
    return render(request, "accounts/account.html", _page(request))


def _page(request: HttpRequest, **forms: Any) -> dict[str, Any]:
    mine = second_step.account_of(request.user)
    return {
        "account": mine,
        "role": role_of(request.user),
        "sign_ins": signins.open_of(request.user),
        "this_session": request.session.session_key,
        "codes_left": mine.recovery_codes.count(),
        "required": second_step.required_of(request.user),
        "tokens": Token.objects.filter(user=request.user).count(),
        "password_form": ChangePasswordForm(request.user),
        "language_form": LanguageForm(initial={"language": mine.language}),
        "off_form": ConfirmForm(auto_id="off_%s"),
        "codes_form": ConfirmForm(auto_id="codes_%s"),
        **forms,
    }


def _confirmed(request: HttpRequest, form: ConfirmForm) -> bool:
    """Whether the form is good and holds the person's own password; tries count as they do at the login."""
    if not form.is_valid():
        return False
    attempt, _user = door.attempt_of(request, request.user.get_username())
    if (seconds := throttle.locked_for(attempt)) > 0:
        form.add_error("current", door.wait(seconds))
    elif request.user.check_password(form.cleaned_data["current"]):
        return True
    else:
        throttle.failed(attempt)
        form.add_error("current", _("That is not your password."))
    return False


@sensitive_post_parameters()
@never_cache
@require_POST
@signed_in
def change_password(request: HttpRequest) -> HttpResponse:
    """Another password; all other browsers are logged out by it."""
    form = ChangePasswordForm(request.user, request.POST)
    if not _confirmed(request, form):
        return render(request, "accounts/account.html", _page(request, password_form=form), status=422)
    user, old_key = request.user, request.session.session_key or ""
    user.set_password(form.cleaned_data["password"])
    user.save(update_fields=["password"])
    update_session_auth_hash(request, user)  # which gives the session another key
    signins.moved(request, old_key)
    ended = signins.end_all(user, request.session.session_key)
    audit.note(request, "password_changed", ended=ended)
    messages.success(request, _("Your password is changed. Other browsers have been logged out."))
    return redirect("account")


@never_cache
@require_POST
@signed_in
def choose_language(request: HttpRequest) -> HttpResponse:
    """The language of the pages, from now on and after each login."""
    form = LanguageForm(request.POST)
    if not form.is_valid():
        return render(request, "accounts/account.html", _page(request, language_form=form), status=422)
    mine, chosen = second_step.account_of(request.user), form.cleaned_data["language"]
    mine.language = chosen
    mine.save(update_fields=["language"])
    if chosen:
        request.session[language.KEY] = chosen
    else:
        request.session.pop(language.KEY, None)
    audit.note(request, "language_changed", language=chosen)
    with override(language.of_request(request)):
        messages.success(request, _("The pages are in this language from now on."))
    return redirect("account")


# ---------------------------------------------------------------- the second step


@sensitive_post_parameters("code")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def set_up(request: HttpRequest) -> HttpResponse:
    """Give an app the secret, and show with a code of it that it has it."""
    if second_step.is_on(second_step.account_of(request.user)):
        return redirect("account")
    codes = _set_up(request, request.user)
    if isinstance(codes, HttpResponse):
        return codes
    audit.note(request, "second_step_on")
    return render(request, "accounts/codes.html", {"codes": codes, "onwards": "account", "fresh": True})


@sensitive_post_parameters("code")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def set_up_at_login(request: HttpRequest) -> HttpResponse:
    """The same for somebody whose role must have it, and who is not in before."""
    user = door.pending_user(request)
    if user is None or second_step.is_on(second_step.account_of(user)):
        return redirect("login-code")  # which sends on, or back to the start
    codes = _set_up(request, user, at_login=True)
    if isinstance(codes, HttpResponse):
        return codes
    audit.write(user, user.get_username(), "second_step_on", origin=door.origin_of(request))
    request.session[door.PENDING] = {**request.session[door.PENDING], "coded": True}
    return render(request, "accounts/codes.html", {"codes": codes, "onwards": "login-code", "at_login": True})


def _set_up(request: HttpRequest, user: Any, *, at_login: bool = False) -> HttpResponse | list[str]:
    """The page, or the recovery codes of what has been set up."""
    try:
        secret = unseal(request.session.get(SETTING_UP, ""))
    except SecretDamaged:
        secret = second_step.new_secret()
        request.session[SETTING_UP] = seal(secret)
    form = CodeForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        codes = second_step.set_up(user, secret, form.cleaned_data["code"])
        if codes is not None:
            request.session.pop(SETTING_UP)
            return codes
        form.add_error("code", _("This is not the code that the app should show now. Is the clock of the phone right?"))
    context = {
        "form": form,
        "qr": second_step.drawn(second_step.address(secret, user.get_username())),
        "secret": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        "at_login": at_login,
        "now": timezone.now(),
    }
    return render(request, "accounts/set_up.html", context, status=422 if form.is_bound else 200)


@sensitive_post_parameters("current")
@never_cache
@require_POST
@signed_in
def switch_off(request: HttpRequest) -> HttpResponse:
    """No second step any more, unless an administrator wants it of this role."""
    form = ConfirmForm(request.POST, auto_id="off_%s")
    mine = second_step.account_of(request.user)
    if not second_step.is_on(mine):
        return redirect("account")
    if second_step.required_of(request.user):
        messages.error(request, _("An administrator requires the second step of your role."))
        return redirect("account")
    if not _confirmed(request, form):
        return render(request, "accounts/account.html", _page(request, off_form=form), status=422)
    second_step.switch_off(mine)
    audit.note(request, "second_step_off")
    messages.success(request, _("The second step is switched off."))
    return redirect("account")


@sensitive_post_parameters("current")
@never_cache
@require_POST
@signed_in
def renew_codes(request: HttpRequest) -> HttpResponse:
    """New recovery codes; the old ones are worth nothing from now on."""
    form = ConfirmForm(request.POST, auto_id="codes_%s")
    mine = second_step.account_of(request.user)
    if not second_step.is_on(mine):
        return redirect("account")
    if not _confirmed(request, form):
        return render(request, "accounts/account.html", _page(request, codes_form=form), status=422)
    codes = second_step.new_codes(mine)
    audit.note(request, "recovery_codes")
    return render(request, "accounts/codes.html", {"codes": codes, "onwards": "account"})


# ---------------------------------------------------------------- logins


@never_cache
@require_POST
@signed_in
def end_sign_in(request: HttpRequest, pk: int) -> HttpResponse:
    """End one of one's own logins."""
    rows = SignIn.objects.filter(user=request.user, pk=pk)
    if not rows.exists():
        raise Http404
    this = rows.filter(session_key=request.session.session_key).exists()
    audit.note(request, "sign_in_ended", request.user.get_username())
    signins.end(rows)
    if this:
        request.session.flush()
        return redirect("login")
    messages.success(request, _("That browser is logged out."))
    return redirect("account")


@never_cache
@require_POST
@signed_in
def end_other_sign_ins(request: HttpRequest) -> HttpResponse:
    """End all of one's own logins but this one."""
    ended = signins.end_all(request.user, request.session.session_key)
    audit.note(request, "sign_ins_ended", request.user.get_username(), ended=ended)
    messages.success(request, _("All other browsers are logged out."))
    return redirect("account")


# ---------------------------------------------------------------- tokens


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def own_tokens(request: HttpRequest) -> HttpResponse:
    """One's own tokens, for an administrator everybody's; and a new one, which is shown in the answer only."""
    offered = tokens.offered(request.user)
    form = TokenForm(offered, request.POST if request.method == "POST" else None)
    text = ""
    if form.is_bound and form.is_valid():
        if Token.objects.filter(user=request.user).count() >= tokens.MOST:
            form.add_error(None, _("There are %(most)d already. Remove one first.") % {"most": tokens.MOST})
        else:
            data = form.cleaned_data
            token, text = tokens.make(request.user, data["name"], data["scopes"], _end_of(data["expires"]))
            audit.note(request, "token_made", token.name, scopes=token.scopes)
            form = TokenForm(offered)
    rows = Token.objects.select_related("user")
    if not has_role(request.user, Role.ADMINISTRATOR):
        rows = rows.filter(user=request.user)
    now = timezone.now()
    context = {
        "form": form,
        "text": text,
        "tokens": [(row, [tokens.SCOPES[one] for one in row.scopes], tokens.expired(row, now)) for row in rows],
    }
    return render(request, "accounts/tokens.html", context, status=422 if form.is_bound else 200)


@never_cache
@require_POST
@signed_in
def remove_token(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a token of one's own; an administrator anybody's. It works no more at once."""
    rows = Token.objects.filter(pk=pk)
    if not has_role(request.user, Role.ADMINISTRATOR):
        rows = rows.filter(user=request.user)
    token = rows.select_related("user").first()
    if token is None:
        raise Http404
    token.delete()
    audit.note(request, "token_removed", token.name, owner=token.user.get_username())
    messages.success(request, _("The token %(name)s is removed.") % {"name": token.name})
    return redirect("tokens")


def _end_of(day: Any) -> datetime | None:
    if day is None:
        return None
    return timezone.make_aware(datetime.combine(day, time.min) + timedelta(days=1))
