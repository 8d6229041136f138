"""The second step of a login: codes from an app (TOTP, RFC 6238), and recovery codes for when the app is lost.

The secret is sealed at rest. A code works once, and one step of 30 s earlier or later, as clocks differ.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from station.device_model.components import SecurityCtrlr
from station.store.models import Variable
from station.store.secrets import SecretDamaged, seal, unseal
from webui.accounts.models import Account, Policy, RecoveryCode
from webui.accounts.roles import role_of

STEP = 30  # s
DRIFT = (0, -1, 1)  # steps
CODES = 10
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # 32, without what looks alike

clock: Callable[[], float] = time.time


def account_of(user: Any) -> Account:
    """The account of ``user``, made where there is none yet."""
    return Account.objects.get_or_create(user=user)[0]


def new_secret() -> str:
    """160 random bits, in base 32."""
    import pyotp  # seldom needed, and memory is dear

    return pyotp.random_base32()


def address(secret: str, name: str) -> str:
    """The ``otpauth:`` address that an app takes the secret from."""
    import pyotp

    rows = Variable.objects.filter(component=SecurityCtrlr.Identity.component, variable=SecurityCtrlr.Identity.name)
    identity = rows.values_list("value", flat=True).first() or ""
    return str(pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=f"Charging station {identity}".strip()))


def drawn(text: str) -> SafeString:
    """``text`` as a QR code: an SVG that is dark on white in light and dark, as readers want it."""
    import segno

    code = segno.make(text, error="m", micro=False)
    svg = code.svg_inline(border=4, omitsize=True, svgclass="qr", lineclass=None, dark="#000", light="#fff")
    return mark_safe(svg)  # noqa: S308 - drawn by the library from numbers


def matching_step(secret: str, code: str, now: float) -> int | None:
    """Which step of time ``code`` belongs to; None: to none that is allowed at ``now`` (s since 1970)."""
    import pyotp

    digits = re.sub(r"[\s-]", "", code)
    if not re.fullmatch(r"[0-9]{6}", digits):
        return None
    app, here, found = pyotp.TOTP(secret), int(now) // STEP, None
    for drift in DRIFT:
        if hmac.compare_digest(app.generate_otp(here + drift), digits) and found is None:
            found = here + drift
    return found


def set_up(user: Any, secret: str, code: str) -> list[str] | None:
    """Switch the second step on, where ``code`` shows that the app has the secret; the recovery codes, or None."""
    step = matching_step(secret, code, clock())
    if step is None:
        return None
    account = account_of(user)
    with transaction.atomic():
        account.totp_secret, account.totp_since, account.totp_step = seal(secret), timezone.now(), step
        account.save(update_fields=["totp_secret", "totp_since", "totp_step"])
        return new_codes(account)


def switch_off(account: Account) -> None:
    """Without a second step from now on."""
    with transaction.atomic():
        account.totp_secret, account.totp_since = "", None
        account.save(update_fields=["totp_secret", "totp_since"])
        account.recovery_codes.all().delete()


def passes(account: Account, code: str) -> bool:
    """Whether ``code`` is the app's, and has not been used. Raises SecretDamaged."""
    now = clock()
    step = matching_step(unseal(account.totp_secret), code, now)
    if step is None:
        return False
    # A last step that lies ahead is of a clock that has been set back since; it must not shut anybody out for years.
    fresh = Q(totp_step__lt=step) | Q(totp_step__gt=int(now) // STEP + max(DRIFT))
    # In one statement, so that of two logins with one code only the first gets in.
    return bool(Account.objects.filter(fresh, pk=account.pk).update(totp_step=step))


def recovers(account: Account, text: str) -> bool:
    """Whether ``text`` is a recovery code that is left; it is used up by that."""
    return bool(RecoveryCode.objects.filter(account=account, digest=_digest(account, text)).delete()[0])


def new_codes(account: Account) -> list[str]:
    """Recovery codes in the place of those there were; to be shown once, because only digests are kept."""
    codes = ["-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4)) for _ in range(CODES)]
    with transaction.atomic():
        account.recovery_codes.all().delete()
        RecoveryCode.objects.bulk_create(RecoveryCode(account=account, digest=_digest(account, code)) for code in codes)
    return codes


def is_on(account: Account) -> bool:
    return bool(account.totp_secret)


def readable(account: Account) -> bool:
    """False where the key file is not the one that the secret was sealed with, so that no code can be right."""
    try:
        unseal(account.totp_secret)
    except SecretDamaged:
        return False
    return True


def required_of(user: Any) -> bool:
    """Whether people of ``user``'s role must have a second step."""
    role = role_of(user)
    return role is not None and Policy.objects.filter(role=role.word, second_step=True).exists()


def _digest(account: Account, text: str) -> str:
    """80 random bits need no slow hash; the station's key makes a copy of the database alone worthless."""
    plain = re.sub(r"[^A-Z0-9]", "", text.upper())
    return hmac.new(settings.SECRET_KEY.encode(), f"{account.pk}:{plain}".encode(), hashlib.sha256).hexdigest()
