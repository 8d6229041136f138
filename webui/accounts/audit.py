"""The audit log's part that only the web interface writes: who did what to whom. The rest of it are the commands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from webui.accounts.models import Change
from webui.accounts.origin import origin_of

KEPT = 20_000  # entries; by number and not by age, because a clock that jumps ahead must not wipe them out
TRIMMED_EVERY = 100  # entries

# What each kind means; ``subject`` and what is in ``data`` may stand in the sentence. Other rooms add theirs here.
KINDS: Mapping[str, Any] = {
    "account_added": _("added the account %(subject)s (%(role)s)"),
    "account_removed": _("removed the account %(subject)s"),
    "account_disabled": _("switched the account %(subject)s off"),
    "account_enabled": _("switched the account %(subject)s on"),
    "account_recovered": _("let %(subject)s in again, at the station itself"),
    "role_changed": _("changed the role of %(subject)s from %(old)s to %(new)s"),
    "password_reset": _("gave %(subject)s a new password"),
    "password_changed": _("changed the own password"),
    "password_chosen": _("accepted the invitation and chose a password"),
    "language_changed": _("chose another language"),
    "second_step_on": _("set up the second step of the login"),
    "second_step_off": _("switched the own second step off"),
    "second_step_taken": _("took the second step of %(subject)s away"),
    "second_step_required": _("decided who needs a second step: %(subject)s"),
    "recovery_codes": _("made new recovery codes"),
    "recovery_code_used": _("logged in with a recovery code"),
    "sign_in_ended": _("ended a login of %(subject)s"),
    "sign_ins_ended": _("ended all other logins of %(subject)s"),
    "logged_out": _("logged out"),
    "token_made": _("made the token %(subject)s"),
    "token_removed": _("removed the token %(subject)s"),
    "card_named": _("gave a card a name, or changed what is noted of it: %(subject)s"),
    "card_name_removed": _("removed the name of a card: %(subject)s"),
    "notices_changed": _("changed who is told when something is wrong, and how"),
    "notices_tested": _("had a test notice sent"),
    "support_added": _("added %(subject)s in the tables for support"),
    "support_changed": _("changed %(subject)s in the tables for support"),
    "support_removed": _("removed %(subject)s in the tables for support"),
    "audit_exported": _("exported the audit log"),
    "neighbourhood_changed": _("changed what the station tells its neighbours (%(subject)s)"),
}


def note(request: HttpRequest, kind: str, subject: str = "", **data: Any) -> None:
    """Add an entry of the person who makes ``request``. ``data`` must be JSON, and hold no secret."""
    user = request.user
    known = user if user.is_authenticated else None
    write(known, known.get_username() if known else "", kind, subject, origin=origin_of(request), **data)


async def anote(request: HttpRequest, kind: str, subject: str = "", **data: Any) -> None:
    """``note`` for async views."""
    await sync_to_async(note)(request, kind, subject, **data)


def write(user: Any, who: str, kind: str, subject: str = "", *, origin: str = "", **data: Any) -> None:
    """Add an entry. ``user`` may be None where nobody is logged in; ``who`` is then what did it."""
    entry = Change.objects.create(
        at=timezone.now(), user=user, who=who[:150], kind=kind, subject=subject[:200], data=data, address=origin[:64]
    )
    if entry.pk % TRIMMED_EVERY == 0:
        Change.objects.filter(pk__lte=entry.pk - KEPT).delete()
