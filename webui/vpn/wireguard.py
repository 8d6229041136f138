#!/usr/bin/env python3
"""What a WireGuard client is to be like, strictly read, and the commands that make the machine so.

Standard library only, and nothing of this project: the web server uses it as a module where it has the right to change
the network, and a device on which it has not installs this very file as its privileged helper (docs/access.md). What
it reads may come from somebody who must not become root by it: nothing in a configuration is ever a command, and no
shell is involved.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import json
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LONGEST = 16 * 1024  # bytes of a configuration
MOST = 32  # addresses and networks, each
MTU = (1280, 9000)  # bytes; 1280 is the least of IPv6
MTU_DEFAULT = 1420
WIDEST = {4: 4, 6: 7}  # the shortest prefixes that are not the whole internet; fc00::/7 is private
PATIENCE = 15.0  # s for one command
CAP_NET_ADMIN = 12
RUN = Path("/run/station-vpn")  # where the helper says how it is
NAME = re.compile(r"wg-[0-9a-f]{8}")

Interface = ipaddress.IPv4Interface | ipaddress.IPv6Interface
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_HOST = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*")
_COMMANDS = ("preup", "postup", "predown", "postdown")
_ONCE = {
    "interface": ("privatekey", "mtu", "dns", "listenport", "table"),
    "peer": ("publickey", "presharedkey", "endpoint", "persistentkeepalive"),
}
_OFTEN = {"interface": ("address",), "peer": ("allowedips",)}


class Unfit(Exception):
    """A configuration that is not taken. ``code`` names what is wrong, ``what`` the text, ``line`` its number or 0."""

    def __init__(self, code: str, what: str = "", line: int = 0) -> None:
        super().__init__(f"{code}: {what}" if what else code)
        self.code, self.what, self.line = code, what[:80], line


class Failed(Exception):
    """The machine does not do it. ``code`` names why, ``what`` is what a command said."""

    def __init__(self, code: str, what: str = "") -> None:
        super().__init__(f"{code}: {what}" if what else code)
        self.code, self.what = code, what[:300]


@dataclass(frozen=True, slots=True)
class Configuration:
    """A client with one peer. Keys are base64; ``keepalive`` in seconds, 0: none. ``endpoint`` is host and port."""

    private: str
    addresses: tuple[Interface, ...]
    peer: str
    endpoint: tuple[str, int]
    allowed: tuple[Network, ...]
    keepalive: int = 25
    preshared: str = ""
    mtu: int = 0

    def written(self) -> str:
        """In the form of wg-quick(8), which ``read`` reads."""
        lines = ["[Interface]"]
        lines += [f"PrivateKey = {self.private}"] if self.private else []
        lines += [f"Address = {', '.join(map(str, self.addresses))}"]
        lines += [f"MTU = {self.mtu}"] if self.mtu else []
        lines += ["", *self.peer_lines(self.endpoint_text), f"AllowedIPs = {', '.join(map(str, self.allowed))}"]
        return "\n".join(lines) + "\n"

    def peer_lines(self, endpoint: str) -> list[str]:
        lines = ["[Peer]", f"PublicKey = {self.peer}"]
        lines += [f"PresharedKey = {self.preshared}"] if self.preshared else []
        return [*lines, f"Endpoint = {endpoint}", f"PersistentKeepalive = {self.keepalive or 'off'}"]

    @property
    def endpoint_text(self) -> str:
        return joined(*self.endpoint)


# ---------------------------------------------------------------------- reading


def read(text: str, *, with_key: bool = True) -> Configuration:
    """The configuration in ``text``, as wg-quick(8) writes it; raises Unfit. ``with_key``: a private key must be there.

    Whatever this does not know is refused, above all what wg-quick would run as a command.
    """
    if len(text.encode()) > LONGEST or "\0" in text:
        raise Unfit("too_long")
    once: dict[str, tuple[str, int]] = {}
    often: dict[str, list[tuple[str, int]]] = {"address": [], "allowedips": []}
    for section, key, value, line in _pairs(text):
        if key in _OFTEN[section]:
            often[key] += [(part.strip(), line) for part in value.split(",") if part.strip()]
        elif key in once:
            raise Unfit("twice", key, line)
        else:
            once[key] = (value, line)
    for needed in ("publickey", "endpoint", *(["privatekey"] if with_key else [])):
        if needed not in once:
            raise Unfit("missing", needed)
    if "table" in once and once["table"][0].lower() != "auto":
        raise Unfit("table", *once["table"])
    keepalive = once.get("persistentkeepalive", ("25", 0))
    return Configuration(
        private=key_of(*once["privatekey"]) if "privatekey" in once else "",
        addresses=_list(often["address"], address_of, "address"),
        peer=key_of(*once["publickey"]),
        endpoint=endpoint_of(*once["endpoint"]),
        allowed=_list(often["allowedips"], network_of, "allowedips"),
        keepalive=_number(*keepalive, most=65535) if keepalive[0].lower() != "off" else 0,
        preshared=key_of(*once["presharedkey"]) if "presharedkey" in once else "",
        mtu=_mtu(*once["mtu"]) if "mtu" in once else 0,
    )


def _pairs(text: str) -> Iterator[tuple[str, str, str, int]]:
    section, peers = "", 0
    for number, whole in enumerate(text.splitlines(), 1):
        line = whole.partition("#")[0].strip().lstrip("\ufeff")
        if not line:
            continue
        if line.startswith("["):
            section = line.lower().strip("[] ")
            if section not in _ONCE:
                raise Unfit("section", line, number)
            peers += section == "peer"
            if peers > 1:
                raise Unfit("peers", "", number)
            continue
        key, equals, value = (part.strip() for part in line.partition("="))
        if not equals or not section:
            raise Unfit("line", line.partition("=")[0].strip(), number)  # what follows may be a secret
        if key.lower() in _COMMANDS:
            raise Unfit("command", key, number)
        if key.lower() not in (*_ONCE[section], *_OFTEN[section]):
            raise Unfit("key", key, number)
        if not value:
            raise Unfit("empty", key, number)
        yield section, key.lower(), value, number


def key_of(text: str, line: int = 0) -> str:
    """A key as it stands, checked: 32 bytes in base64. Raises Unfit without the text, which may be a secret."""
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        content = b""
    if len(content) != 32 or not any(content):
        raise Unfit("wrong_key", "", line)
    return base64.b64encode(content).decode()


def address_of(text: str, line: int = 0) -> Interface:
    """An address of this end; raises Unfit."""
    try:
        found = ipaddress.ip_interface(text)
    except ValueError:
        raise Unfit("wrong_address", text, line) from None
    if _is_odd(found.ip) or found.ip.is_unspecified:
        raise Unfit("wrong_address", text, line)
    return found


def network_of(text: str, line: int = 0) -> Network:
    """A network on the other side; raises Unfit."""
    try:
        found = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise Unfit("wrong_network", text, line) from None
    if found.prefixlen < WIDEST[found.version]:
        raise Unfit("everything", text, line)
    if _is_odd(found.network_address) or found.network_address.is_unspecified:
        raise Unfit("wrong_network", text, line)
    return found


def _is_odd(address: Any) -> bool:
    return bool(address.is_loopback or address.is_multicast or address.is_link_local)


def endpoint_of(text: str, line: int = 0) -> tuple[str, int]:
    """Host and port; raises Unfit."""
    host, colon, port = text.rpartition(":")
    in_brackets = host.startswith("[") and host.endswith("]")
    host = host[1:-1] if in_brackets else host
    is_port = port.isascii() and port.isdigit() and 1 <= int(port) <= 65535
    try:
        is_host = in_brackets == (ipaddress.ip_address(host).version == 6)
    except ValueError:
        is_host = not in_brackets and len(host) <= 253 and bool(_HOST.fullmatch(host)) and not host[-1:].isdigit()
    if not colon or not is_port or not is_host:
        raise Unfit("wrong_endpoint", text, line)
    return host, int(port)


def joined(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _list(texts: list[tuple[str, int]], read_one: Any, name: str) -> Any:
    if not texts:
        raise Unfit("missing", name)
    if len(texts) > MOST:
        raise Unfit("too_many", name, texts[-1][1])
    return tuple(dict.fromkeys(read_one(*text) for text in texts))


def _number(text: str, line: int, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6 and int(text) <= most):
        raise Unfit("number", text, line)
    return int(text)


def _mtu(text: str, line: int) -> int:
    found = _number(text, line, MTU[1])
    if found < MTU[0]:
        raise Unfit("number", text, line)
    return found


# ---------------------------------------------------------------------- doing


def may() -> bool:
    """Whether this process may change the network."""
    try:
        found = re.search(r"^CapEff:\s*([0-9a-f]+)", Path("/proc/self/status").read_text(), re.MULTILINE)
    except OSError:
        return False
    return bool(found and int(found[1], 16) >> CAP_NET_ADMIN & 1)


def tool(name: str) -> str:
    """The path of a program; empty where it is not installed."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin:/usr/bin:/bin") or ""


def run(*command: str, text: str = "") -> str:
    """What a command prints; raises Failed."""
    path = tool(command[0])
    if not path:
        raise Failed("no_tool", command[0])
    try:
        done = subprocess.run(  # noqa: S603 - a list of words, never a shell
            [path, *command[1:]], input=text, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failed("command", f"{command[0]}: {error}") from error
    if done.returncode:
        raise Failed("command", (done.stderr or done.stdout).strip() or f"{command[0]}: status {done.returncode}")
    return done.stdout


def exists(name: str) -> bool:
    """Whether there is an interface of that name."""
    return Path("/sys/class/net", name).exists() or name in (one for _, one in socket.if_nameindex())


def bring_up(name: str, wanted: Configuration) -> None:
    """Make the interface, or make it as wanted where it is there already; raises Failed.

    One that is new and cannot be finished is removed again; of one that was there, its sessions live on.
    """
    endpoint = _resolved(*wanted.endpoint)
    if exists(name) and run("wg", "show", name, "private-key").strip() != wanted.private:
        bring_down(name)  # or it would go on telling of the handshakes of the key before
    is_new = not exists(name)
    if is_new:
        _make(name)
    try:
        peer = [*wanted.peer_lines(endpoint), f"AllowedIPs = {', '.join(map(str, wanted.allowed))}"]
        run(
            *("wg", "syncconf", name, "/dev/stdin"),
            text="\n".join(["[Interface]", f"PrivateKey = {wanted.private}", *peer, ""]),
        )
        _give_addresses(name, wanted.addresses)
        run("ip", "link", "set", "dev", name, "mtu", str(wanted.mtu or MTU_DEFAULT), "up")
        _give_routes(name, wanted.allowed)
    except Failed:
        if is_new:
            bring_down(name)
        raise


def bring_down(name: str) -> None:
    """Remove the interface, where there is one; raises Failed."""
    if exists(name):
        run("ip", "link", "delete", "dev", name)


def _make(name: str) -> None:
    try:
        run("ip", "link", "add", "dev", name, "type", "wireguard")
    except Failed as failure:
        if not tool("wireguard-go"):
            raise Failed("no_wireguard", failure.what) from failure
        run("wireguard-go", name)  # in user space: slower, and for the same protocol


def _give_addresses(name: str, wanted: tuple[Interface, ...]) -> None:
    # Hosts, whatever prefix stands there: which networks lie behind it is for AllowedIPs to say.
    hosts = {f"{one.ip}/{one.ip.max_prefixlen}" for one in wanted}
    shown = json.loads(run("ip", "-j", "address", "show", "dev", name) or "[]")
    have = {f"{one['local']}/{one['prefixlen']}" for link in shown for one in link.get("addr_info", [])}
    for address in sorted(have - hosts):
        if not ipaddress.ip_interface(address).is_link_local:
            run("ip", "address", "delete", address, "dev", name)
    for address in sorted(hosts - have):
        run("ip", "address", "add", address, "dev", name)


def _give_routes(name: str, wanted: tuple[Network, ...]) -> None:
    for version in (4, 6):
        networks = {str(one).removesuffix(f"/{one.max_prefixlen}") for one in wanted if one.version == version}
        shown = json.loads(run("ip", f"-{version}", "-j", "route", "show", "dev", name) or "[]")
        ours = {one["dst"] for one in shown if one.get("protocol") not in ("kernel", "ra")}
        for network in sorted(ours - networks):
            run("ip", f"-{version}", "route", "delete", network, "dev", name)
        for network in sorted(networks - ours):
            run("ip", f"-{version}", "route", "replace", network, "dev", name)


def _resolved(host: str, port: int) -> str:
    """The endpoint as an address. wg(8) would try for minutes, and say nothing."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except OSError as error:
        raise Failed("name", host) from error
    return joined(str(found[0][4][0]), port)


@dataclass(frozen=True, slots=True)
class State:
    """What the interface says. ``handshake`` is seconds since 1970, 0: never; ``received`` and ``sent`` in bytes."""

    endpoint: str = ""
    handshake: int = 0
    received: int = 0
    sent: int = 0


def state(name: str) -> State | None:
    """None where there is no interface; raises Failed."""
    if not exists(name):
        return None
    lines = run("wg", "show", name, "dump").splitlines()
    if len(lines) < 2:
        return State()
    _, _, endpoint, _, handshake, received, sent, *_ = lines[1].split("\t")
    return State(endpoint if endpoint != "(none)" else "", int(handshake), int(received), int(sent))


# ---------------------------------------------------------------------- as a helper


def main(arguments: list[str]) -> int:
    """``station-vpn FOLDER``: make the machine as the one configuration there says; tell how it is in ``RUN``."""
    if len(arguments) != 1:
        print("usage: station-vpn FOLDER", file=sys.stderr)  # noqa: T201
        return 2
    failed = 0
    for path in sorted(Path(arguments[0]).glob("wg-*.conf")):
        name = path.stem
        if not NAME.fullmatch(name):
            continue
        said: dict[str, Any] = {"at": int(time.time()), "conf": 0, "error": None}
        try:
            content, said["conf"] = _content(path)
            if content.strip():
                bring_up(name, read(content))
            else:
                bring_down(name)
            found = state(name)
            said["up"] = found is not None
            said |= {one: getattr(found, one) for one in State.__slots__} if found else {}
        except (Unfit, Failed, OSError) as error:
            code = getattr(error, "code", "command")
            what = error.what if isinstance(error, Unfit | Failed) else error.strerror or ""
            said |= {"up": exists(name), "error": [code, what]}
            failed = 1
        _tell(name, said)
    return failed


def _content(path: Path) -> tuple[str, int]:
    """Of a file that somebody without rights has written: no link, no device, no end of it."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or status.st_size > LONGEST:
            raise Unfit("too_long")
        return file.read(LONGEST).decode(errors="replace"), status.st_mtime_ns


def _tell(name: str, said: dict[str, Any]) -> None:
    RUN.mkdir(mode=0o755, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=RUN)
    with os.fdopen(handle, "w") as file:
        json.dump(said, file)
    Path(temporary).chmod(0o644)
    Path(temporary).replace(RUN / f"{name}.json")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
