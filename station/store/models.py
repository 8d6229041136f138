"""What lasts. All of it but ``Command`` rows (filed by the web interface) and users is written by the uplink alone."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models


class Transaction(models.Model):
    """A transaction, and to a person a session. Columns are for the history; ``state`` restores the pure object."""

    transaction_id = models.CharField(max_length=36, primary_key=True)
    evse_id = models.PositiveSmallIntegerField(null=True)
    connector_id = models.PositiveSmallIntegerField(null=True)
    started_at = models.DateTimeField(db_index=True)
    ended_at = models.DateTimeField(null=True)
    active = models.BooleanField(default=True)
    id_token = models.CharField(max_length=36, blank=True, default="")
    id_token_type = models.CharField(max_length=20, blank=True, default="")
    authorized_by = models.CharField(max_length=20, blank=True, default="")
    meter_start = models.BigIntegerField(null=True, help_text="mWh")
    meter_stop = models.BigIntegerField(null=True, help_text="mWh")
    energy = models.BigIntegerField(default=0, help_text="mWh so far")
    stopped_reason = models.CharField(max_length=20, blank=True, default="")
    charging_state = models.CharField(max_length=20, blank=True, default="")
    meter_suspect = models.BooleanField(default=False)
    state = models.JSONField(default=dict)

    class Meta:
        db_table = "station_transaction"
        ordering: ClassVar = ["-started_at"]
        indexes: ClassVar = [
            models.Index(fields=["active"]),
            models.Index(fields=["evse_id", "-started_at"]),
            # For the history. Only of sessions that have ended: one that runs is saved with each of its events, and
            # each save writes a page of every index that it is in.
            models.Index(
                fields=["id_token", "-started_at", "evse_id", "stopped_reason"],
                name="station_transaction_card",
                condition=models.Q(active=False),
            ),
            models.Index(
                fields=["stopped_reason", "-started_at", "evse_id"],
                name="station_transaction_ended",
                condition=models.Q(active=False),
            ),
            # The one on "active" above is for "active = 1", which Django never says; without this, who asks for the
            # sessions that run reads them all.
            models.Index(fields=["started_at"], name="station_transaction_running", condition=models.Q(active=True)),
        ]

    def __str__(self) -> str:
        return self.transaction_id


class MeterPoint(models.Model):
    """One point of a session's curve."""

    transaction = models.ForeignKey(Transaction, on_delete=models.CASCADE, related_name="points")
    at = models.DateTimeField()
    power = models.FloatField(help_text="W")
    current = models.FloatField(help_text="A, highest phase")
    energy = models.FloatField(help_text="Wh, the register")
    soc = models.FloatField(null=True, help_text="%")
    # Whole numbers: SQLite keeps small ones in two or three octets. Null where the phase is not connected.
    current_1 = models.IntegerField(null=True, help_text="mA, L1")
    current_2 = models.IntegerField(null=True, help_text="mA, L2")
    current_3 = models.IntegerField(null=True, help_text="mA, L3")

    class Meta:
        db_table = "station_meter_point"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.at:%H:%M:%S} {self.power:.0f} W"


class QueuedCall(models.Model):
    """A call to the CSMS that must not be lost (E04, E13)."""

    sequence = models.BigIntegerField(primary_key=True)
    action = models.CharField(max_length=50)
    payload = models.JSONField()
    created = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "station_queued_call"
        ordering: ClassVar = ["sequence"]

    def __str__(self) -> str:
        return f"{self.sequence} {self.action}"


class Variable(models.Model):
    """A device-model attribute value that differs from the factory's default.

    Values of write-only variables are sealed with the key file of the data folder (``store.secrets``), so that
    the database file alone does not give a password away.
    """

    component = models.CharField(max_length=50)
    component_instance = models.CharField(max_length=50, blank=True, default="")
    evse_id = models.PositiveSmallIntegerField(default=0)
    connector_id = models.PositiveSmallIntegerField(default=0)
    variable = models.CharField(max_length=50)
    variable_instance = models.CharField(max_length=50, blank=True, default="")
    attribute = models.CharField(max_length=10, default="Actual")
    value = models.TextField()

    class Meta:
        db_table = "station_variable"
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="variable_once",
                fields=[
                    "component",
                    "component_instance",
                    "evse_id",
                    "connector_id",
                    "variable",
                    "variable_instance",
                    "attribute",
                ],
            )
        ]

    def __str__(self) -> str:
        return f"{self.component}.{self.variable}"


class VariableChange(models.Model):
    """Who gave a device-model variable which value, and when. Of write-only variables neither value is kept."""

    at = models.DateTimeField()
    by = models.CharField(max_length=10, help_text="domain.effects.SetBy")
    who = models.CharField(max_length=150, blank=True, default="", help_text="the person's name")
    component = models.CharField(max_length=50)
    component_instance = models.CharField(max_length=50, blank=True, default="")
    evse_id = models.PositiveSmallIntegerField(default=0)
    connector_id = models.PositiveSmallIntegerField(default=0)
    variable = models.CharField(max_length=50)
    variable_instance = models.CharField(max_length=50, blank=True, default="")
    attribute = models.CharField(max_length=10, default="Actual")
    old = models.TextField(null=True)
    new = models.TextField(null=True)

    class Meta:
        db_table = "station_variable_change"
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [models.Index(fields=["component", "variable", "-id"])]

    def __str__(self) -> str:
        return f"{self.at:%F %T} {self.component}.{self.variable}"


class Remembered(models.Model):
    """A small durable fact of the station, by key."""

    key = models.CharField(max_length=80, primary_key=True)
    value = models.JSONField()

    class Meta:
        db_table = "station_remembered"

    def __str__(self) -> str:
        return self.key


class CachedToken(models.Model):
    """An entry of the authorization cache (C10). ``key`` is a digest: whose card it is stands nowhere."""

    key = models.CharField(max_length=64, primary_key=True)
    info = models.JSONField(help_text="what the CSMS last said")
    stored = models.DateTimeField()
    updated = models.DateTimeField()
    used = models.DateTimeField()
    uses = models.PositiveIntegerField(default=1)

    class Meta:
        db_table = "station_cached_token"
        ordering: ClassVar = ["stored"]

    def __str__(self) -> str:
        return self.key[:8]


class NetworkProfile(models.Model):
    """A network configuration slot (B09): where the CSMS is and how to speak to it.

    Identity and password are device-model variables (SecurityCtrlr.Identity, .BasicAuthPassword) and the same for
    every slot.
    """

    slot = models.PositiveSmallIntegerField(primary_key=True)
    csms_url = models.CharField(max_length=512, help_text="without the identity, which is appended when connecting")
    security_profile = models.PositiveSmallIntegerField(default=1)
    message_timeout = models.PositiveIntegerField(default=30, help_text="s")
    interface = models.CharField(max_length=20, default="Wired0")

    class Meta:
        db_table = "station_network_profile"
        ordering: ClassVar = ["slot"]

    def __str__(self) -> str:
        return f"slot {self.slot}: {self.csms_url}"


class Certificate(models.Model):
    """An installed certificate (M05), with its chain. Private keys are files of their own, or in a PKCS#11 token."""

    certificate_id = models.CharField(max_length=100, primary_key=True)
    use = models.CharField(max_length=40)
    chain = models.JSONField(help_text="PEM texts, the certificate itself first")
    installed = models.DateTimeField()
    key = models.CharField(max_length=512, blank=True, default="", help_text="file name or PKCS#11 URI")

    class Meta:
        db_table = "station_certificate"
        ordering: ClassVar = ["installed", "certificate_id"]

    def __str__(self) -> str:
        return f"{self.use} {self.certificate_id[-8:]}"


class JournalEntry(models.Model):
    """Something worth reading later; ``kind`` and ``data`` are facts, the words are the web interface's."""

    at = models.DateTimeField(db_index=True)
    kind = models.CharField(max_length=40)
    evse_id = models.PositiveSmallIntegerField(null=True)
    transaction_id = models.CharField(max_length=36, null=True, db_index=True)
    data = models.JSONField(default=dict)

    class Meta:
        db_table = "station_journal"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.at:%F %T} {self.kind}"


class SecurityLogEntry(models.Model):
    """An entry of the security log (A04.FR.04), which has a limit of its own: SecurityCtrlr.SecurityLogEntries."""

    at = models.DateTimeField(db_index=True)
    type = models.CharField(max_length=50)
    tech_info = models.CharField(max_length=255, blank=True, default="")
    critical = models.BooleanField(default=True)

    class Meta:
        db_table = "station_security_log"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.at:%F %T} {self.type}"


class Command(models.Model):
    """What a person asked of the station: who, when, what, outcome. Filed by the web interface, done by the uplink."""

    class Status(models.TextChoices):
        FILED = "Filed"
        ACCEPTED = "Accepted"
        REJECTED = "Rejected"

    filed_at = models.DateTimeField(auto_now_add=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    who = models.CharField(max_length=150)
    action = models.CharField(max_length=40)
    arguments = models.JSONField(default=dict)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.FILED)
    message = models.CharField(max_length=300, blank=True, default="")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "station_command"
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"{self.who}: {self.action}"
