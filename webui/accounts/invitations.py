"""A password that opens an account once, to choose another one."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from webui.accounts import rules
from webui.accounts.models import Account

OPEN_FOR = timedelta(days=7)


def give(user: Any) -> tuple[str, datetime]:
    """Give ``user``, who is saved by that, a new password that is an invitation; it, and until when it is open."""
    password, until = rules.invitation(), timezone.now() + OPEN_FOR
    user.set_password(password)
    user.save()
    Account.objects.update_or_create(user=user, defaults={"invited_until": until, "invited_by": _mark(user)})
    return password, until


def until(user: Any, account: Account | None) -> datetime | None:
    """Until when the password of ``user`` is open as an invitation; None where it is a password of their own.

    It is one only as long as it is the very password that was given: ``provision --admin-password`` sets another, and
    knows nothing of invitations.
    """
    if account is None or account.invited_until is None or account.invited_by != _mark(user):
        return None
    return account.invited_until


def accept(account: Account) -> None:
    """The person has chosen another one."""
    account.invited_until, account.invited_by = None, ""
    account.save(update_fields=["invited_until", "invited_by"])


def _mark(user: Any) -> str:
    """Tells the password that ``user`` has from any other."""
    return hashlib.sha256(user.password.encode()).hexdigest()[:32]
