"""What the web interface knows of people beyond Django's own user; nobody else reads or writes it."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models


class Account(models.Model):
    """What belongs to a person beside the user that Django keeps. The role is in the user (``accounts.roles``)."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="account"
    )
    language = models.CharField(max_length=10, blank=True, default="", help_text="empty: the browser's")
    invited_until = models.DateTimeField(
        null=True, help_text="the password is an invitation: until then it opens the page where one's own is chosen"
    )
    invited_by = models.CharField(max_length=32, blank=True, default="", help_text="tells the password that is meant")
    totp_secret = models.CharField(max_length=200, blank=True, default="", help_text="sealed; empty: no second step")
    totp_since = models.DateTimeField(null=True)
    totp_step = models.BigIntegerField(default=0, help_text="the last step of time whose code was used")

    class Meta:
        db_table = "accounts_account"
        ordering: ClassVar = ["user"]

    def __str__(self) -> str:
        return str(self.user)


class RecoveryCode(models.Model):
    """One way in without the second factor; a row goes when it is used, so only a digest is ever here."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64)

    class Meta:
        db_table = "accounts_recovery_code"
        constraints: ClassVar = [models.UniqueConstraint(name="recovery_code_once", fields=["account", "digest"])]

    def __str__(self) -> str:
        return f"{self.account} {self.digest[:6]}"


class Policy(models.Model):
    """What administrators require of a role."""

    role = models.CharField(max_length=20, primary_key=True, help_text="accounts.roles.Role.word")
    second_step = models.BooleanField(default=False, help_text="a second step at login is required")

    class Meta:
        db_table = "accounts_policy"

    def __str__(self) -> str:
        return self.role


class SignIn(models.Model):
    """A browser that somebody has logged in with; as long as Django's session of that key is there, it is open."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    session_key = models.CharField(max_length=40, unique=True)
    address = models.CharField(max_length=64)
    browser = models.CharField(max_length=80, help_text="in words, from what the browser says of itself")
    began = models.DateTimeField()
    seen = models.DateTimeField()

    class Meta:
        db_table = "accounts_sign_in"
        ordering: ClassVar = ["-seen"]

    def __str__(self) -> str:
        return f"{self.user}: {self.browser}"


class Token(models.Model):
    """Lets a machine in, as the person it belongs to and no further than its scopes (``accounts.tokens``)."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=60)
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the token, which is kept nowhere")
    begins = models.CharField(max_length=12, help_text="its first characters, to tell it from others")
    scopes = models.JSONField(default=list)
    made = models.DateTimeField()
    expires = models.DateTimeField(null=True, help_text="empty: never")
    used = models.DateTimeField(null=True, help_text="to within ten minutes")
    address = models.CharField(max_length=64, blank=True, default="", help_text="where it was last used from")

    class Meta:
        db_table = "accounts_token"
        ordering: ClassVar = ["-made"]

    def __str__(self) -> str:
        return self.name


class Change(models.Model):
    """An entry of the audit log that is no ``Command``: what only the web interface does and knows."""

    at = models.DateTimeField(db_index=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    who = models.CharField(max_length=150)
    kind = models.CharField(max_length=40, help_text="accounts.audit.KINDS")
    subject = models.CharField(max_length=200, blank=True, default="", help_text="whom or what it was done to")
    data = models.JSONField(default=dict)
    address = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        db_table = "accounts_change"
        ordering: ClassVar = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.at:%F %T} {self.who}: {self.kind}"
