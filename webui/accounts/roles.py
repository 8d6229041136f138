"""The three kinds of people. Each sees all that the one before sees.

A role is read from two marks that Django's own user has: ``is_staff`` makes an installer, ``is_superuser`` an
administrator. So there is one truth and no second query on each request, and what makes the first administrator
(``appliance``, ``provision``) need not know the web interface, which nothing may import.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from django.utils.translation import gettext_lazy as _


class Role(IntEnum):
    """Ordered: a later one may do all that an earlier one may. ``name`` in lower case is how it is stored."""

    OWNER = 1
    INSTALLER = 2
    ADMINISTRATOR = 3

    @property
    def word(self) -> str:
        """``owner``, ``installer`` or ``administrator``: for forms and the database."""
        return self.name.lower()

    @property
    def label(self) -> Any:
        """For people."""
        return _LABELS[self]

    @property
    def about(self) -> Any:
        """What somebody in this role may do, in a sentence."""
        return _ABOUT[self]


_LABELS = {
    Role.OWNER: _("Owner"),
    Role.INSTALLER: _("Installer"),
    Role.ADMINISTRATOR: _("Administrator"),
}
_ABOUT = {
    Role.OWNER: _("Uses the station: sees and starts charging, sessions and cards. Changes nothing technical."),
    Role.INSTALLER: _("Also sets the station up: hardware, network, certificates, firmware, variables."),
    Role.ADMINISTRATOR: _("Also decides who may do what: people, access rules, tokens, the audit log."),
}


def of_word(word: str) -> Role:
    """The role of that ``word``. Raises KeyError."""
    return Role[word.upper()]


def role_of(user: Any) -> Role | None:
    """The role of ``user``; None for somebody who is not logged in, or whose account is switched off."""
    if user is None or not user.is_authenticated or not user.is_active:
        return None
    if user.is_superuser:
        return Role.ADMINISTRATOR
    return Role.INSTALLER if user.is_staff else Role.OWNER


def has_role(user: Any, least: Role) -> bool:
    """Whether ``user`` is logged in and may do at least what ``least`` may."""
    role = role_of(user)
    return role is not None and role >= least


def give(user: Any, role: Role) -> None:
    """Set the marks that make ``role``; the caller saves."""
    user.is_staff = role >= Role.INSTALLER
    user.is_superuser = role >= Role.ADMINISTRATOR


def marks(role: Role) -> dict[str, bool]:
    """How to find those who have exactly this role: ``User.objects.filter(**marks(role))``."""
    if role is Role.ADMINISTRATOR:
        return {"is_superuser": True}
    return {"is_superuser": False, "is_staff": role is Role.INSTALLER}
