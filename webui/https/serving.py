"""Which certificate the web server serves with at the moment, and what makes it look again.

The server (station.project.web_server) gives itself to be told here; where there is none (no STATION_WEB_TLS, or
another server), nothing is served, and the page says so.
"""

from __future__ import annotations

import datetime
import logging
import socket
from collections.abc import Callable
from pathlib import Path

from django.conf import settings

from webui.access import netlink
from webui.access.origin import LINK_LOCAL
from webui.https import authority, own
from webui.https.authority import Names

log = logging.getLogger(__name__)

_reload: Callable[[], None] | None = None
_known: tuple[Names, str] | None = None  # what was looked at last, so that a look in between costs nothing


def is_served() -> bool:
    """Whether this process speaks TLS."""
    return _reload is not None


def served_by(reload: Callable[[], None]) -> None:
    """``reload`` makes the server read its certificate anew; raises OSError or ValueError where it cannot."""
    global _reload
    _reload = reload


def reload() -> None:
    """Serve with what the files say now. Connections that are open go on as they are."""
    if _reload is not None:
        _reload()


def file() -> Path:
    """The certificate to serve with: one that was uploaded, or the local CA's, made where it is missing or due.

    Raises OSError.
    """
    return own.path() if own.exists() else local_file()


def local_file() -> Path:
    """The one under the local CA; raises OSError."""
    return authority.ensure(Path(settings.KEYS_DIR), names()[0], root_name())


def names() -> tuple[Names, Names]:
    """What this station is called: what its own CA can vouch for, and what it cannot."""
    addresses = []
    try:
        addresses = [
            one.ip for link in netlink.links() if link.up for one in link.addresses if one.ip not in LINK_LOCAL
        ]
    except OSError as error:
        log.warning("the addresses of this machine cannot be found out: %s", error)
    listening = settings.ENVIRONMENT.web_tls
    return authority.names_of(socket.gethostname(), addresses, listening.host if listening else "")


def root_name() -> str:
    return f"Charging station {socket.gethostname()[:24]} {settings.ENVIRONMENT.instance}"


def root() -> authority.Pair | None:
    """The local CA's root; None where TLS was never served."""
    return authority.read_pair(Path(settings.KEYS_DIR) / authority.ROOT_FILE)


def look() -> None:
    """Renew the certificate where that is due: called about once a minute. Touches no disk where nothing changed."""
    global _known
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    wanted = names()[0]
    if _known == (wanted, today):
        return
    path = Path(settings.KEYS_DIR) / authority.LEAF_FILE
    before = path.read_bytes() if path.exists() else b""
    if file() == path and path.read_bytes() != before:
        log.info("the web server has a new certificate: %s", ", ".join(_words(wanted)))
        reload()
    _known = wanted, today


def _words(wanted: Names) -> list[str]:
    return [*sorted(wanted.dns), *sorted(map(str, wanted.addresses))]
