"""What a password has to be, as validators of Django's kind, for passwords that are chosen on a page.

``provision --admin-password`` is bound to the length alone (AUTH_PASSWORD_VALIDATORS): installers' scripts that exist
must go on working. There is no password that a station comes with.
"""

from __future__ import annotations

import gzip
import re
import secrets
from pathlib import Path
from typing import Any

from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

LEAST, MOST = 10, 128  # characters
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # without what looks alike


class Length:
    """Long enough, and no longer than a hash should be made of."""

    def validate(self, password: str, user: Any = None) -> None:
        if len(password) < LEAST:
            raise ValidationError(
                ngettext("At least %(least)d character.", "At least %(least)d characters.", LEAST) % {"least": LEAST},
                code="short",
            )
        if len(password) > MOST:
            raise ValidationError(_("At most %(most)d characters.") % {"most": MOST}, code="long")


class Variety:
    """No single sign repeated, and more than digits."""

    def validate(self, password: str, user: Any = None) -> None:
        if len(set(password)) < 5:
            raise ValidationError(_("Use at least five different characters."), code="monotonous")
        if password.isdecimal():
            raise ValidationError(_("Not digits alone: they are soon tried out."), code="digits")


class NotTheName:
    """The user name does not make the password."""

    def validate(self, password: str, user: Any = None) -> None:
        name = re.sub(r"\W", "", user.get_username().casefold()) if user is not None else ""
        rest = re.sub(r"\W", "", password.casefold())
        if len(name) >= 3 and name in rest and len(rest.replace(name, "")) < LEAST // 2:
            raise ValidationError(_("It is too much like the user name."), code="name")


class NotCommon:
    """None of the 20,000 passwords that people choose most, from the list that comes with Django.

    Read from its file each time: kept in memory, as Django's own does, it would cost 2 MB for ever.
    """

    file = Path(password_validation.__file__).with_name("common-passwords.txt.gz")

    def validate(self, password: str, user: Any = None) -> None:
        wanted = password.casefold().strip()
        with gzip.open(self.file, "rt", encoding="utf-8") as lines:
            if any(line.strip() == wanted for line in lines):
                raise ValidationError(_("Many people use this password, so it is tried first."), code="common")


VALIDATORS = (Length(), Variety(), NotTheName(), NotCommon())


def check(password: str, user: Any = None) -> None:
    """Raises ValidationError with everything that is wrong with ``password``."""
    errors = []
    for validator in VALIDATORS:
        try:
            validator.validate(password, user)
        except ValidationError as error:
            errors.append(error)
    if errors:
        raise ValidationError(errors)


def invitation() -> str:
    """A password for one login, that is easily read out: 79 random bits."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4))
