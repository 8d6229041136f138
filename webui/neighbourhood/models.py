"""What an administrator has set about the neighbours; one row, and none while all is as delivered."""

from __future__ import annotations

from django.db import models

from station.store.secrets import unseal
from webui.neighbourhood.switch import Wish

READ, CONTROL = "read", "control"


class Neighbourhood(models.Model):
    """Announcement in the local network, MQTT, and who may read the metrics without a token."""

    version = models.PositiveIntegerField(default=0, help_text="grows with every change")
    mdns = models.BooleanField(default=True, help_text="announce the web interface in the local network")
    mdns_name = models.CharField(max_length=60, blank=True, default="", help_text="empty: the station's identity")
    mqtt = models.BooleanField(default=False)
    host = models.CharField(max_length=253, blank=True, default="")
    port = models.PositiveIntegerField(default=1883)
    tls = models.BooleanField(default=False)
    ca = models.TextField(blank=True, default="", help_text="PEM; empty: the roots of the operating system")
    user = models.CharField(max_length=100, blank=True, default="")
    password = models.CharField(max_length=500, blank=True, default="", help_text="sealed")
    topic = models.CharField(max_length=60, default="charging-station", help_text="that all topics begin with")
    discovery = models.BooleanField(default=True, help_text="announce sensors to Home Assistant")
    discovery_topic = models.CharField(max_length=60, default="homeassistant")
    scope = models.CharField(max_length=10, default=READ, help_text="read, or control: commands are taken, too")
    metrics_networks = models.CharField(max_length=500, blank=True, default="", help_text="CIDR, separated by blanks")

    class Meta:
        db_table = "neighbourhood"

    def __str__(self) -> str:
        return f"MQTT {self.host}" if self.mqtt else "no MQTT"

    @classmethod
    def current(cls) -> Neighbourhood:
        """The row, or one as delivered that is not stored yet."""
        return cls.objects.filter(pk=1).first() or cls(pk=1)

    @classmethod
    async def acurrent(cls) -> Neighbourhood:
        """``current`` for async code."""
        return await cls.objects.filter(pk=1).afirst() or cls(pk=1)

    @property
    def networks(self) -> list[str]:
        """Those that may read the metrics without a token."""
        return self.metrics_networks.split()

    @property
    def wish(self) -> Wish:
        """What the supervisor needs of it."""
        return Wish(self.mdns, self.mqtt, self.version)

    def open_password(self) -> str:
        """The password; raises SecretDamaged."""
        return unseal(self.password) if self.password else ""
