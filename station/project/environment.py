"""The appliance's environment variables, parsed once, with one clear line for whatever is wrong with them.

``docs/installing.md`` lists them for people; this module is what they mean. Everything else in the project reads
``ENVIRONMENT`` and never ``os.environ``.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from station.store.secrets import key_file

# sockaddr_un.sun_path holds 108 bytes with its final NUL (unix(7)).
UNIX_PATH_LIMIT = 107
PROJECT = Path(__file__).resolve().parent.parent.parent
MAX_EVSES = 32


class EnvironmentInvalid(Exception):
    """A variable, or the data folder it names, cannot be used. The text is one line and names the variable."""


@dataclass(frozen=True, slots=True)
class Address:
    """A TCP address to listen on or to connect to."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def reachable(self) -> Address:
        """The address to connect to from this machine where the host is a wildcard."""
        return Address({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host), self.port)  # noqa: S104


@dataclass(frozen=True, slots=True)
class Environment:
    """What the environment says.

    ``board`` is the address of the board, also where it is the simulator's; ``simulated`` tells which. ``redis_url``
    is None where the appliance brings its own Redis, and ``database_url`` None where SQLite serves. ``pkcs11`` is the
    URI of the token that private keys are made in, empty where they are files.
    """

    data: Path
    web: Address
    web_tls: Address | None
    board: str
    simulated: bool
    simulator: Address
    bench: Address
    evses: int
    sockets: bool
    installer: str
    redis_url: str | None
    database_url: str | None
    pkcs11: str

    @property
    def instance(self) -> str:
        """Eight characters that tell this appliance from another on the same machine or the same Redis."""
        return hashlib.sha256(os.fsencode(self.data)).hexdigest()[:8]

    @property
    def keys(self) -> Path:
        return self.data / "keys"

    @property
    def certificates(self) -> Path:
        """Where an older station kept its certificates; see ``project.certificate_files``."""
        return self.data / "certificates"

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def lock(self) -> Path:
        return self.data / "appliance.lock"

    @property
    def database(self) -> Path:
        return self.data / "station.sqlite3"

    @property
    def redis_socket(self) -> Path:
        """Where the embedded Redis listens.

        A Unix socket's path must be short. Under a long STATION_DATA it lies in a folder of its own in the
        system's temporary folder instead, named after the data folder and open to its owner only.
        """
        path = self.data / "run" / "redis.sock"
        if len(os.fsencode(path)) <= UNIX_PATH_LIMIT:
            return path
        return Path(tempfile.gettempdir()) / f"station-{os.getuid()}-{self.instance}" / "redis.sock"

    @property
    def redis(self) -> str:
        """The URL of Redis as redis-py takes it, embedded or not."""
        return self.redis_url or f"unix://{self.redis_socket}"

    @property
    def broker(self) -> str:
        """The URL of Redis as Celery takes it, which spells Unix sockets in its own way."""
        parts = urlsplit(self.redis)
        if parts.scheme != "unix":
            return self.redis
        credentials = f"{parts.netloc}" if "@" in parts.netloc else ""
        database = parse_qs(parts.query).get("db", ["0"])[0]
        return f"redis+socket://{credentials}{parts.path}?virtual_host={database}"


def read(variables: Mapping[str, str]) -> Environment:
    """The environment behind ``variables``; raises EnvironmentInvalid. An empty variable counts as unset."""

    def get(name: str, default: str) -> str:
        return variables.get(name, "").strip() or default

    simulator = _address("STATION_SIMULATOR", get("STATION_SIMULATOR", "127.0.0.1:5020"))
    board = get("STATION_BOARD", "simulator")
    simulated = board == "simulator"
    tls = get("STATION_WEB_TLS", "")
    environment = Environment(
        data=Path(os.path.abspath(Path(get("STATION_DATA", "data")).expanduser())),  # noqa: PTH100 - keeps symlinks
        web=_address("STATION_WEB", get("STATION_WEB", "127.0.0.1:8000")),
        web_tls=_address("STATION_WEB_TLS", tls) if tls else None,
        board=f"modbus-tcp://{simulator.reachable}" if simulated else _board(board),
        simulated=simulated,
        simulator=simulator,
        bench=_address("STATION_BENCH", get("STATION_BENCH", "127.0.0.1:8020")),
        evses=_evses(get("STATION_EVSES", "2")),
        sockets=_cables(get("STATION_CABLES", "fixed")) == "detachable",
        installer=_installer(get("STATION_INSTALLER", "slots")),
        redis_url=_redis(get("REDIS_URL", "")),
        database_url=_database(get("DATABASE_URL", "")),
        pkcs11=_pkcs11(get("STATION_PKCS11", "")),
    )
    _ports_differ(environment)
    return environment


def prepare_folders(environment: Environment) -> None:
    """Make the data folder and those within it, for the owner's eyes only; raises EnvironmentInvalid."""
    try:
        environment.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (environment.keys, environment.data / "run", environment.logs):
            folder.mkdir(mode=0o700, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=environment.data, prefix=".writable"):
            pass
        _prepare_socket_folder(environment.redis_socket.parent)
    except OSError as error:
        reason = error.strerror or str(error)
        raise EnvironmentInvalid(f"STATION_DATA: cannot write to {environment.data}: {reason}") from error


def secret_key(environment: Environment) -> str:
    """Django's SECRET_KEY, made at the first start; raises EnvironmentInvalid."""
    path = environment.keys / "django.key"
    try:
        return key_file(path, lambda: secrets.token_urlsafe(48).encode()).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentInvalid(f"STATION_DATA: cannot use {path}: {error}") from error


def passwords(environment: Environment) -> list[str]:
    """Those within the URLs of Redis and database, as they stand there and as they are meant."""
    urls = (environment.redis_url, environment.database_url)
    found = [password for url in urls if url and (password := urlsplit(url).password)]
    return [*found, *map(unquote, found)]


def _prepare_socket_folder(folder: Path) -> None:
    # In a temporary folder that everybody shares, somebody else may have been there first.
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise EnvironmentInvalid(f"STATION_DATA: {folder}, where Redis listens, is not a private folder of this user")


def _ports_differ(environment: Environment) -> None:
    listening = {"STATION_WEB": environment.web}
    if environment.web_tls:
        listening["STATION_WEB_TLS"] = environment.web_tls
    if environment.simulated:
        listening |= {"STATION_SIMULATOR": environment.simulator, "STATION_BENCH": environment.bench}
    taken: dict[int, str] = {}
    for name, address in listening.items():
        if address.port in taken:
            raise EnvironmentInvalid(f"{name}: port {address.port} is already that of {taken[address.port]}")
        taken[address.port] = name


def _address(name: str, text: str) -> Address:
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise EnvironmentInvalid(f"{name}: {text!r} is not host:port (an IPv6 address stands in brackets)")
    if not colon or not host or any(sign.isspace() or sign in "/@?#" for sign in host):
        raise EnvironmentInvalid(f"{name}: {text!r} is not host:port")
    if not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65535):
        raise EnvironmentInvalid(f"{name}: the port in {text!r} is not a number from 1 to 65535")
    return Address(host, int(port))


def _board(text: str) -> str:
    from hardware.drivers.address import parse  # loads the Modbus library, which most commands never need

    try:
        return str(parse(text))
    except ValueError as error:
        raise EnvironmentInvalid(f"STATION_BOARD: {error} (or simulator)") from None


def _evses(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MAX_EVSES):
        raise EnvironmentInvalid(f"STATION_EVSES: {text!r} is not a number from 1 to {MAX_EVSES}")
    return int(text)


def _redis(text: str) -> str | None:
    if text and urlsplit(text).scheme not in ("redis", "rediss", "unix"):
        raise EnvironmentInvalid(f"REDIS_URL: {_shown(text)} begins with none of redis://, rediss:// and unix://")
    return text or None


def _database(text: str) -> str | None:
    if not text:
        return None
    import dj_database_url

    try:
        dj_database_url.parse(text)
    except (ValueError, KeyError) as error:
        raise EnvironmentInvalid(f"DATABASE_URL: {_shown(text)} is not the URL of a database") from error
    return text


def _pkcs11(text: str) -> str:
    if text:
        from station.uplink.pkcs11 import parse

        try:
            parse(text)
        except ValueError as error:
            raise EnvironmentInvalid(f"STATION_PKCS11: {error}") from None
    return text


def _shown(url: str) -> str:
    """The URL without what may be a password."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return repr(f"{parts.scheme}://{host}{parts.path}")


def _installer(text: str) -> str:
    if text not in ("slots", "rauc"):
        raise EnvironmentInvalid(f"STATION_INSTALLER: {text!r} is neither slots nor rauc")
    return text


def _cables(text: str) -> str:
    if text not in ("fixed", "detachable"):
        raise EnvironmentInvalid(f"STATION_CABLES: {text!r} is neither fixed nor detachable")
    return text
