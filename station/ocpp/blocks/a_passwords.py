"""Functional block A, Security: a new password is tried before the old one is given up (A01)."""

from __future__ import annotations

from station.device_model.components import SecurityCtrlr
from station.domain.effects import Reconnect
from station.domain.events import ConnectionFailed, LinkUp
from station.domain.moment import Moment
from station.domain.network import FailureCause
from station.domain.signals import ConnectionChanged, SecurityEvent, VariableChanged
from station.ocpp.block import Block
from station.ocpp.context import Context

SPARE = "password_spare"  # remembered, and sealed at rest
WITH_PASSWORD = 2  # the highest security profile that has one


class Passwords(Block):
    """Which password to connect with.

    A new one is used from the next connection on, which begins once the answer is out. The one before stays as a
    spare until the new one has let the station in. While the CSMS refuses the one (401, 403), the other is tried next;
    whichever is accepted is BasicAuthPassword from then on. A new one that was refused stays as a spare then: a CSMS
    that takes it over late (A01.FR.03) would otherwise never see this station again.

    A spare belongs to the one password that it was set aside for. What an installer tries (``Trial``) has none: there
    the former settings come back as a whole.
    """

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._known = self._password
        self._try_spare = False

    @property
    def to_use(self) -> tuple[str, bool]:
        """The password for the next attempt, and whether it is the spare one."""
        spare = self._spare
        return (spare, True) if self._try_spare and spare else (self._password, False)

    @property
    def _password(self) -> str:
        return self._context.model[SecurityCtrlr.BasicAuthPassword]

    @property
    def _spare(self) -> str:
        kept = self._context.remembered.get(SPARE)
        if not isinstance(kept, dict) or kept.get("instead_of_password") != self._password:
            return ""
        return str(kept.get("password") or "")

    @property
    def _was_refused(self) -> bool:
        return bool(self._context.remembered[SPARE].get("refused")) if self._spare else False

    def on(self, event: object, now: Moment) -> None:
        match event:
            case VariableChanged(component="SecurityCtrlr", variable="BasicAuthPassword"):
                self._changed()
            case ConnectionChanged():
                self._known, self._try_spare = self._password, False
            case ConnectionFailed(cause=FailureCause.CREDENTIALS) if event.security_profile <= WITH_PASSWORD:
                if self._spare and event.spare_password == self._try_spare:
                    self._try_spare = not self._try_spare
            case LinkUp() if event.security_profile <= WITH_PASSWORD:
                self._accepted(event, now)

    def _changed(self) -> None:
        before, self._known = self._known, self._password
        kept = self._context.remembered.get(SPARE)
        if isinstance(kept, dict) and kept.get("instead_of_password") == before and not kept.get("refused"):
            before = kept.get("password") or ""  # changed again before a connection: the first is known to work
        self._set_aside(before)
        self._try_spare = False
        if self._context.model[SecurityCtrlr.SecurityProfile] <= WITH_PASSWORD:
            # A01.FR.03: from now on the CSMS takes the new one only; the answer goes out before the link is closed
            self._context.emit(Reconnect("a new password was set"))

    def _set_aside(self, password: str, *, refused: bool = False) -> None:
        kept = {"password": password, "instead_of_password": self._password, "refused": refused}
        self._context.remember(SPARE, kept if password else None)

    def _accepted(self, link: LinkUp, now: Moment) -> None:
        spare = self._spare
        if not link.spare_password or not spare:
            if not self._was_refused:
                self._context.remember(SPARE, None)  # the new one works
            self._try_spare = False
            return
        refused = self._password
        effect = self._context.model.assign(SecurityCtrlr.BasicAuthPassword, spare)
        if effect is not None:
            self._context.emit(effect)
        self._set_aside(refused, refused=True)
        self._known, self._try_spare = spare, False
        self._context.journal(now, "password_taken_back")
        self._context.raise_signal(
            SecurityEvent(
                "ReconfigurationOfSecurityParameters",
                "the CSMS refused the new password: the one before is in use again",
                critical=False,
            )
        )
