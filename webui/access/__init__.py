"""Where people may come from, the station's own VPN, and how the line to it is protected (docs/access.md)."""

from django.conf import settings


def vpn_name() -> str:
    """The name of the station's own VPN interface: another for each data folder, and short enough for Linux."""
    return f"wg-{settings.ENVIRONMENT.instance}"
