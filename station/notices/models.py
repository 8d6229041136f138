"""What is wrong, since when, and whom it was told. None of it is protocol state.

Settings and dismissals are written by the web interface, all else by the transfer worker.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Kind(models.TextChoices):
    """What may be wrong."""

    FAULT = "fault", _("A charging point has a fault")
    BOARD = "board", _("The board does not answer")
    CSMS = "csms", _("The operator's system cannot be reached")
    TAMPER = "tamper", _("The housing was opened")
    FIRMWARE = "firmware", _("A firmware update came to nothing")


class Settings(models.Model):
    """How people want to be told; one row. Password and address of the webhook are sealed (``store.secrets``)."""

    class Tls(models.TextChoices):
        STARTTLS = "starttls", _("STARTTLS (usually port 587)")
        TLS = "tls", _("TLS from the start (usually port 465)")
        NONE = "none", _("none, on the local network only (usually port 25)")

    station_name = models.CharField(max_length=60, blank=True, default="")
    language = models.CharField(max_length=10, default="en")
    mail_on = models.BooleanField(default=False)
    smtp_host = models.CharField(max_length=253, blank=True, default="")
    smtp_port = models.PositiveIntegerField(default=587)
    smtp_tls = models.CharField(max_length=10, choices=Tls.choices, default=Tls.STARTTLS)
    smtp_user = models.CharField(max_length=200, blank=True, default="")
    smtp_password = models.TextField(blank=True, default="", help_text="sealed")
    mail_from = models.CharField(max_length=254, blank=True, default="")
    mail_to = models.TextField(blank=True, default="", help_text="one address in each line")
    hook_on = models.BooleanField(default=False)
    hook_url = models.TextField(blank=True, default="", help_text="sealed")
    csms_hours = models.PositiveSmallIntegerField(default=4)
    on_fault = models.BooleanField(default=True)
    on_board = models.BooleanField(default=True)
    on_csms = models.BooleanField(default=True)
    on_tamper = models.BooleanField(default=True)
    on_firmware = models.BooleanField(default=True)

    class Meta:
        db_table = "notices_settings"

    def __str__(self) -> str:
        return "notices"

    @classmethod
    def current(cls) -> Settings:
        """The one row, or the factory's settings, not saved."""
        return cls.objects.filter(pk=1).first() or cls(pk=1)

    def wants(self, kind: str) -> bool:
        """Whether people are to be told of that kind."""
        return bool(getattr(self, f"on_{kind}", False))

    @property
    def channels(self) -> list[str]:
        """The ways that are switched on."""
        return [channel for channel, on in (("mail", self.mail_on), ("hook", self.hook_on)) if on]


class Watch(models.Model):
    """How far the journal has been read, and what followed from it; one row."""

    cursor = models.BigIntegerField(default=0)
    state = models.JSONField(default=dict)

    class Meta:
        db_table = "notices_watch"

    def __str__(self) -> str:
        return f"up to {self.cursor}"


class Trouble(models.Model):
    """Something that is wrong, or was. The same trouble that comes again takes the same row."""

    key = models.CharField(max_length=40, unique=True)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    evse_id = models.PositiveSmallIntegerField(null=True)
    codes = models.JSONField(default=list)
    since = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    times = models.PositiveIntegerField(default=0, help_text="how often it came since people were told")
    told = models.BooleanField(
        default=False, help_text="people were told that it is there, and not yet that it is over"
    )
    told_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "notices_trouble"
        ordering: ClassVar = ["-since"]

    def __str__(self) -> str:
        return self.key


class Dismissal(models.Model):
    """Somebody has seen a trouble, as it came at ``since``, and wants it out of the way."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    trouble = models.ForeignKey(Trouble, on_delete=models.CASCADE, related_name="dismissals")
    since = models.DateTimeField()

    class Meta:
        db_table = "notices_dismissal"
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "trouble"], name="dismissed_once")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.trouble_id}"


class Sending(models.Model):
    """A notice on its way to somebody."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("waits")
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")

    made_at = models.DateTimeField()
    channel = models.CharField(max_length=10, help_text="mail or hook")
    what = models.CharField(max_length=10, help_text="begin, end or test")
    facts = models.JSONField(default=dict)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField()
    word = models.CharField(max_length=20, blank=True, default="", help_text="what went wrong")
    detail = models.CharField(max_length=300, blank=True, default="")
    finished_at = models.DateTimeField(null=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        db_table = "notices_sending"
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [models.Index(fields=["status", "next_at"], name="notices_due")]

    def __str__(self) -> str:
        return f"{self.channel} {self.what} {self.status}"

    def fail(self, word: str, detail: Any = "") -> None:
        """Note what went wrong; not saved."""
        self.word, self.detail = word, " ".join(str(detail).split())[:300]
