"""Who may log in, and as what: for administrators. There is always at least one of them who can."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from webui.accounts import audit, invitations, second_step, signins
from webui.accounts.forms import AddForm, PolicyForm, RoleForm
from webui.accounts.guard import administrator
from webui.accounts.models import Policy, SignIn, Token
from webui.accounts.roles import Role, give, marks, of_word, role_of

MOST = 200  # accounts


class Refused(Exception):
    """What is asked would leave the station in a bad way; the text says why."""


@never_cache
@require_safe
@administrator
def people(request: HttpRequest) -> HttpResponse:
    """The list, and of whom a second step is required."""
    return render(request, "people/people.html", _page(request))


def _page(request: HttpRequest, **changes: Any) -> dict[str, Any]:
    rows = list(get_user_model().objects.select_related("account").order_by("username"))
    required = {policy.role for policy in Policy.objects.filter(second_step=True)}
    return {
        "people": [_shown(row) for row in rows],
        "roles": [(role.label, role.about) for role in Role],
        "policy": PolicyForm(initial=dict.fromkeys(required, True)),
        "now": timezone.now(),
        **changes,
    }


def _shown(user: Any) -> dict[str, Any]:
    account = getattr(user, "account", None)
    return {
        "user": user,
        "role": _role(user),
        "second_step": account is not None and second_step.is_on(account),
        "invited_until": invitations.until(user, account),
    }


def _role(user: Any) -> Role:
    """The role, also of an account that is switched off."""
    return Role.ADMINISTRATOR if user.is_superuser else Role.INSTALLER if user.is_staff else Role.OWNER


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@administrator
def add(request: HttpRequest) -> HttpResponse:
    """A new account; the invitation is shown in the answer only."""
    form = AddForm(request.POST if request.method == "POST" else None, initial={"role": Role.OWNER.word})
    if form.is_bound and form.is_valid() and get_user_model().objects.count() >= MOST:
        form.add_error(None, _("There are %(most)d accounts already.") % {"most": MOST})
    if not form.is_bound or not form.is_valid():
        return render(
            request, "people/add.html", {"form": form, "roles": list(Role)}, status=422 if form.is_bound else 200
        )
    data = form.cleaned_data
    with transaction.atomic():
        user = get_user_model()(username=data["username"])
        give(user, data["role"])
        given = None
        if data["password"]:
            user.set_password(data["password"])
            user.save()
        else:
            given = invitations.give(user)
        audit.note(request, "account_added", user.get_username(), role=data["role"].word)
    if given is None:
        messages.success(request, _("%(name)s can log in now.") % {"name": user.get_username()})
        return redirect("person", pk=user.pk)
    return _invitation(request, user, given)


def _invitation(request: HttpRequest, user: Any, given: tuple[str, datetime]) -> HttpResponse:
    return render(request, "people/invitation.html", {"person": user, "password": given[0], "until": given[1]})


@never_cache
@require_safe
@administrator
def person(request: HttpRequest, pk: int) -> HttpResponse:
    """One account, and what can be done with it."""
    user = get_object_or_404(get_user_model(), pk=pk)
    return render(request, "people/person.html", _person(request, user))


def _person(request: HttpRequest, user: Any, **changes: Any) -> dict[str, Any]:
    return {
        **_shown(user),
        "person": user,
        "self": user.pk == request.user.pk,
        "form": RoleForm(initial={"role": _role(user).word}),
        "sign_ins": signins.open_of(user),
        "tokens": Token.objects.filter(user=user).count(),
        **changes,
    }


def _other(request: HttpRequest, pk: int) -> Any:
    """The account that something is to be done to, which is not one's own. Raises Refused."""
    user = get_object_or_404(get_user_model().objects.select_for_update(), pk=pk)
    if user.pk == request.user.pk:
        raise Refused(_("This is your own account. Another administrator has to do that."))
    return user


def _keep_one(user: Any) -> None:
    """Raises Refused where ``user`` is the last one who can administer the station."""
    if role_of(user) is not Role.ADMINISTRATOR:
        return
    others = get_user_model().objects.filter(is_active=True, **marks(Role.ADMINISTRATOR)).exclude(pk=user.pk)
    if not any(other.has_usable_password() for other in others.select_for_update()):
        raise Refused(_("%(name)s is the last administrator. Make another one first.") % {"name": user.get_username()})


@never_cache
@require_POST
@administrator
def act(request: HttpRequest, pk: int, action: str) -> HttpResponse:
    """Do ``action`` to an account; what is refused is said, and nothing has changed then."""
    if action not in ACTIONS:
        raise Http404
    try:
        with transaction.atomic():
            answer = ACTIONS[action](request, _other(request, pk))
    except Refused as refused:
        messages.error(request, str(refused))
        answer = None
    return answer or redirect("person", pk=pk)


def _change_role(request: HttpRequest, user: Any) -> HttpResponse | None:
    form = RoleForm(request.POST)
    if not form.is_valid():
        return render(request, "people/person.html", _person(request, user, form=form), status=422)
    old, new = _role(user), form.cleaned_data["role"]
    shown = request.POST.get("was", "")
    if shown and shown != old.word:
        raise Refused(
            _("Somebody else has made %(name)s %(role)s meanwhile. Look again, and then decide.")
            % {"name": user.get_username(), "role": old.label}
        )
    if old is new:
        return None
    if new < Role.ADMINISTRATOR:
        _keep_one(user)
    give(user, new)
    user.save(update_fields=["is_staff", "is_superuser"])
    audit.note(request, "role_changed", user.get_username(), old=old.word, new=new.word)
    messages.success(request, _("Role of %(name)s: %(role)s.") % {"name": user.get_username(), "role": new.label})
    return None


def _disable(request: HttpRequest, user: Any) -> None:
    _keep_one(user)
    user.is_active = False
    user.save(update_fields=["is_active"])
    signins.end_all(user)
    audit.note(request, "account_disabled", user.get_username())
    messages.success(
        request, _("%(name)s cannot log in any more, and is logged out everywhere.") % {"name": user.get_username()}
    )


def _enable(request: HttpRequest, user: Any) -> None:
    user.is_active = True
    user.save(update_fields=["is_active"])
    audit.note(request, "account_enabled", user.get_username())
    messages.success(request, _("%(name)s can log in again.") % {"name": user.get_username()})


def _invite(request: HttpRequest, user: Any) -> HttpResponse:
    given = invitations.give(user)
    signins.end_all(user)
    audit.note(request, "password_reset", user.get_username())
    return _invitation(request, user, given)


def _take_second_step(request: HttpRequest, user: Any) -> None:
    account = second_step.account_of(user)
    if second_step.is_on(account):
        second_step.switch_off(account)
        audit.note(request, "second_step_taken", user.get_username())
    messages.success(request, _("%(name)s logs in with the password alone now.") % {"name": user.get_username()})


def _end_sign_ins(request: HttpRequest, user: Any) -> None:
    ended = signins.end_all(user)
    audit.note(request, "sign_ins_ended", user.get_username(), ended=ended)
    messages.success(request, _("%(name)s is logged out everywhere.") % {"name": user.get_username()})


def _remove(request: HttpRequest, user: Any) -> HttpResponse:
    _keep_one(user)
    name = user.get_username()
    signins.end_all(user)
    audit.note(request, "account_removed", name)
    user.delete()
    messages.success(
        request, _("The account %(name)s is removed. What it did stays in the audit log.") % {"name": name}
    )
    return redirect("people")


ACTIONS = {
    "role": _change_role,
    "disable": _disable,
    "enable": _enable,
    "invite": _invite,
    "second-step": _take_second_step,
    "logins": _end_sign_ins,
    "remove": _remove,
}


@never_cache
@require_POST
@administrator
def require_second_step(request: HttpRequest) -> HttpResponse:
    """Of whom a second step is required; who has none is logged out and sets it up at the next login."""
    form = PolicyForm(request.POST)
    form.is_valid()  # ticks cannot be wrong
    wanted = {of_word(word) for word, ticked in form.cleaned_data.items() if ticked}
    mine = role_of(request.user)
    if mine in wanted and not second_step.is_on(second_step.account_of(request.user)):
        messages.error(request, _("Set up your own second step first; you could not get in any more otherwise."))
        return redirect("people")
    with transaction.atomic():
        for role in Role:
            Policy.objects.update_or_create(role=role.word, defaults={"second_step": role in wanted})
        without = Q(account__isnull=True) | Q(account__totp_secret="")
        for role in wanted:
            for user in get_user_model().objects.filter(without, **marks(role)):
                signins.end(SignIn.objects.filter(user=user))
        audit.note(request, "second_step_required", ", ".join(sorted(role.word for role in wanted)) or "–")
    messages.success(request, _("That holds from now on."))
    return redirect("people")
