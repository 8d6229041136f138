"""Whether this station still has to be set up. Light: it is asked on the overview."""

from __future__ import annotations

from station.store.models import NetworkProfile
from webui.commissioning.models import Commissioning


def not_set_up() -> bool:
    """Nobody has told it where its CSMS is, and nobody has signed for it: it is a demonstration."""
    return not NetworkProfile.objects.exists() and not Commissioning.objects.filter(signed_at__isnull=False).exists()


def under_way() -> bool:
    """Somebody has begun and not signed yet."""
    return Commissioning.objects.filter(is_open=True).exists()
