"""The VPN's settings: kept in the database, the private key in a file of its own, all of it applied as one."""

from __future__ import annotations

import base64
import ipaddress
import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from station.store.secrets import SecretDamaged, key_file, seal, unseal, write_private
from webui.access import netlink, trials, vpn_name
from webui.access.models import Setting
from webui.access.origin import LINK_LOCAL
from webui.vpn import wireguard
from webui.vpn.control import control, write
from webui.vpn.wireguard import Configuration, Failed, Network, Unfit

log = logging.getLogger(__name__)

KEY = "vpn"
KEY_FILE = "vpn.key"


@dataclass(frozen=True, slots=True)
class Vpn:
    """``text`` is the configuration as wg-quick writes it, without either secret; empty: never set up."""

    enabled: bool = False
    text: str = ""
    preshared: str = ""

    @property
    def configuration(self) -> Configuration | None:
        """Without the private key; None where it was never set up, or cannot be read."""
        if not self.text:
            return None
        try:
            return replace(wireguard.read(self.text, with_key=False), preshared=self.preshared)
        except Unfit as error:
            log.error("the VPN's settings cannot be read: %s", error)
            return None


def current() -> Vpn:
    """Those that are kept."""
    row = Setting.objects.filter(pk=KEY).first()
    return _read(row.value) if row else Vpn()


def _read(value: Any) -> Vpn:
    if not isinstance(value, dict):
        return Vpn()
    sealed = str(value.get("preshared") or "")
    try:
        preshared = unseal(sealed) if sealed else ""
    except SecretDamaged as error:
        log.error("the VPN's preshared key: %s", error)
        return Vpn()
    return Vpn(bool(value.get("enabled")), str(value.get("text") or ""), preshared)


def _written(vpn: Vpn) -> dict[str, Any]:
    return {"enabled": vpn.enabled, "text": vpn.text, "preshared": seal(vpn.preshared) if vpn.preshared else ""}


def text_of(wanted: Configuration) -> str:
    """The configuration without its secrets."""
    return replace(wanted, private="", preshared="").written()


# ---------------------------------------------------------------------- the station's own key


def _key_path() -> Path:
    return Path(settings.KEYS_DIR) / KEY_FILE


def private_key() -> str:
    """Made at first use, by this station; raises OSError."""
    return key_file(_key_path(), _new_key).decode().strip()


def public_key() -> str:
    """What the other side has to know; empty where the key's file is damaged. Raises OSError."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    try:
        key = X25519PrivateKey.from_private_bytes(base64.b64decode(private_key(), validate=True))
    except ValueError:
        return ""
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def _new_key() -> bytes:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    return base64.b64encode(X25519PrivateKey.generate().private_bytes_raw())


# ---------------------------------------------------------------------- changing


def change(who: str, wanted: Vpn, *, private: str | None = None, on_trial: bool) -> Failed | None:
    """Keep ``wanted`` and apply it; ``private`` is another key, empty: one made now. Raises OSError.

    What the machine said, where it did not do it: the settings are kept, and tried again.
    """
    before = {**_written(current()), "private": seal(private_key())}
    try:
        with transaction.atomic():
            if on_trial:
                trials.begin(trials.VPN, who, before)
            else:
                trials.end(trials.VPN)
            _keep(wanted, _new_key().decode() if private == "" else private)
    except BaseException:
        trials.forget()
        raise
    return apply()


def _keep(vpn: Vpn, private: str | None) -> None:
    Setting.objects.update_or_create(pk=KEY, defaults={"value": _written(vpn)})
    if private:
        write_private(_key_path(), private.encode())


def restore(before: Any) -> None:
    """What was before a trial; raises OSError."""
    sealed = str(before.get("private") or "") if isinstance(before, dict) else ""
    try:
        private = unseal(sealed) if sealed else None
    except SecretDamaged as error:
        raise OSError(str(error)) from error
    _keep(_read(before), private)
    apply()


def wanted_now() -> Configuration | None:
    """What the machine should be like; None: no VPN. Raises OSError."""
    vpn = current()
    found = vpn.configuration if vpn.enabled else None
    return replace(found, private=private_key()) if found else None


def apply() -> Failed | None:
    """Make the machine as the settings say; what it said where it did not. Raises OSError."""
    wanted = wanted_now()
    write(wanted)
    try:
        control().apply(wanted)
    except Failed as failure:
        log.error("the VPN cannot be set up: %s", failure)
        return failure
    return None


def look() -> None:
    """About once a minute, and at the start: bring up what should be up and is not; find a name's new address."""
    vpn = current()
    if not vpn.enabled or (used := control()).kind != "direct":
        return
    found = used.look()
    if found.state is None or is_stale(found.state.handshake):
        apply()


STALE = 180.0  # s; WireGuard's own REJECT_AFTER_TIME


def is_stale(handshake: int) -> bool:
    """Whether the other side has not been heard of for longer than a session lasts."""
    import time

    return time.time() - handshake > STALE


# ---------------------------------------------------------------------- what would cut the station off


def conflict(wanted: Configuration) -> str:
    """What of ``wanted`` collides with a network that the station is in itself; empty: nothing."""
    try:
        links = netlink.links()
    except OSError:
        return ""
    own = [
        address.network
        for link in links
        if link.up and not link.loopback and link.name != vpn_name()
        for address in link.addresses
        if address.ip not in LINK_LOCAL
    ]
    theirs: list[Network] = [*wanted.allowed, *(ipaddress.ip_network(str(one.ip)) for one in wanted.addresses)]
    for network in theirs:
        if any(network.version == one.version and network.overlaps(one) for one in own):
            return str(network)
    return ""


def loops(wanted: Configuration) -> bool:
    """Whether the way to the other side would lead through the VPN itself."""
    try:
        host = ipaddress.ip_address(wanted.endpoint[0])
    except ValueError:
        return False
    return any(host.version == network.version and host in network for network in wanted.allowed)
