"""Local host, neighbour, VPN host, stranger: who reaches what, on a network of real hosts and a real VPN.

station ── lan ── stranger          lan is a neighbour of the station and a router,
           └───── vpn host          behind which a stranger and the VPN's other side live
"""

from __future__ import annotations

import base64
import html
import http.client
import json
import os
import re
import ssl
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.support.namespaces import Namespace, join
from tests.support.waiting import wait_until
from tests.webui.https.making import Made

PROJECT = Path(__file__).resolve().parents[2]
STATION, IN_VPN = "192.168.77.1", "10.99.0.7"
PLAIN, TLS = 8000, 8443
ROLES = ("owner", "installer", "administrator")
CLOSED = 4401


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")


class Site:
    """Four hosts, and the station's web server on one of them."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.hosts: list[Namespace] = []
        self.station, self.lan, self.stranger, self.vpn = (
            self._host(role) for role in ("station", "lan", "stranger", "vpn")
        )
        join(self.station, f"{STATION}/24", self.lan, "192.168.77.20/24")
        join(self.lan, "198.51.100.1/24", self.stranger, "198.51.100.9/24")
        join(self.lan, "203.0.113.1/24", self.vpn, "203.0.113.9/24")
        self.lan.forward()
        for host, router in (
            (self.station, "192.168.77.20"),
            (self.stranger, "198.51.100.1"),
            (self.vpn, "203.0.113.1"),
        ):
            host.ip("route", "add", "default", "via", router)
        self._server: subprocess.Popen[str] | None = None
        self.cookies: dict[str, str] = {}

    def _host(self, role: str) -> Namespace:
        host = Namespace(role)
        self.hosts.append(host)
        return host

    def start(self) -> None:
        socket = self.data.parent / "redis.sock"
        options = ("--port", "0", "--unixsocket", str(socket), "--save", "", "--appendonly", "no")
        self._redis = subprocess.Popen(["redis-server", *options], cwd=self.data.parent, stdout=subprocess.DEVNULL)
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("STATION_", "DJANGO_"))},
            "DJANGO_SETTINGS_MODULE": "station.project.settings",
            "STATION_DATA": str(self.data),
            "STATION_WEB": f"0.0.0.0:{PLAIN}",
            "STATION_WEB_TLS": f"0.0.0.0:{TLS}",
            "REDIS_URL": f"unix://{socket}",
        }
        self._server = subprocess.Popen(
            self.station.command(sys.executable, "-m", "tests.support.web_process"),
            cwd=PROJECT,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._server.stdout is not None
        self.cookies = json.loads(self._server.stdout.readline())
        wait_until(self._answers, "the web server answers", 30)

    def _answers(self) -> bool:
        try:
            return self.get(self.station, "127.0.0.1", "/healthz", tls=False).status > 0
        except OSError:
            return False

    def end(self) -> None:
        for process in (self._server, self._redis):
            if process is not None:
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait(10)
        for host in self.hosts:
            host.remove()

    # ------------------------------------------------------------------ what a browser does

    def get(self, host: Namespace, address: str, path: str, role: str = "", **more: Any) -> Answer:
        return self.ask(host, address, "GET", path, role, **more)

    def post(self, path: str, role: str = "administrator", **fields: str) -> Answer:
        """A form, sent at the station itself."""
        return self._post(path, role, urllib.parse.urlencode(fields))

    def _post(self, path: str, role: str, body: str) -> Answer:
        token = "a" * 32
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": f"{self.cookies['name']}={self.cookies[role]}; {self.cookies['csrf']}={token}",
            "X-CSRFToken": token,
        }
        return self.ask(self.station, "127.0.0.1", "POST", path, headers=headers, body=body, tls=False)

    def ask(
        self,
        host: Namespace,
        address: str,
        method: str,
        path: str,
        role: str = "",
        *,
        tls: bool = True,
        context: ssl.SSLContext | None = None,
        headers: dict[str, str] | None = None,
        body: str | None = None,
        source: str = "",
        timeout: float = 10,
    ) -> Answer:
        given = dict(headers or {})
        if role:
            given["Cookie"] = f"{self.cookies['name']}={self.cookies[role]}"

        def ask() -> Answer:
            at = (source, 0) if source else None
            line: http.client.HTTPConnection
            if tls:
                line = http.client.HTTPSConnection(
                    address, TLS, timeout=timeout, source_address=at, context=context or anything()
                )
            else:
                line = http.client.HTTPConnection(address, PLAIN, timeout=timeout, source_address=at)
            try:
                line.request(method, path, body, given)
                answer = line.getresponse()
                return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
            finally:
                line.close()

        return host.do(ask)

    def line(self, address: str, role: str) -> Any:
        """A WebSocket, to be opened within a host."""
        headers = {"Cookie": f"{self.cookies['name']}={self.cookies[role]}", "Host": f"{address}:{TLS}"}
        return connect(
            f"wss://{address}:{TLS}/ws/live/",
            ssl=anything(),
            additional_headers={"Cookie": headers["Cookie"]},
            origin=f"https://{address}:{TLS}",  # type: ignore[arg-type]
            compression=None,
            open_timeout=10,
            proxy=None,
        )

    def watch(self, host: Namespace, address: str, role: str) -> int:
        """0 where the live view speaks; else the code that it ends with, or the HTTP status where it never began."""

        def watch() -> int:
            try:
                with self.line(address, role) as line:
                    line.send('{"have": {}}')
                    line.recv(timeout=20)
                    return 0
            except InvalidStatus as refused:
                return refused.response.status_code
            except ConnectionClosed as closed:
                return closed.rcvd.code if closed.rcvd else -1

        return host.do(watch)


def anything() -> ssl.SSLContext:
    """Who does not know the station's CA yet, and clicks the warning away."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("site"))
    try:
        made.start()
        yield made
    finally:
        made.end()


@pytest.fixture(scope="module")
def vpn(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The station's VPN, set up on its page; the other side is WireGuard's own tools."""
    key = X25519PrivateKey.generate()
    secret, public = (
        base64.b64encode(one).decode() for one in (key.private_bytes_raw(), key.public_key().public_bytes_raw())
    )
    page = site.get(site.station, "127.0.0.1", "/vpn/", "administrator", tls=False)
    station_key = re.search(r'id="public-key">([^<]+)<', page.text)
    assert station_key is not None
    name = f"wgv{os.getpid()}"
    try:
        site.vpn.ip("link", "add", name, "type", "wireguard")
    except AssertionError:
        site.vpn.run("wireguard-go", name)
    file = tmp_path_factory.mktemp("key") / "key"
    file.write_text(secret)
    site.vpn.run(
        *("wg", "set", name, "listen-port", "51820", "private-key", str(file)),
        *("peer", html.unescape(station_key[1]), "allowed-ips", f"{IN_VPN}/32"),
    )
    site.vpn.ip("address", "add", "10.99.0.1/24", "dev", name)
    site.vpn.ip("link", "set", name, "up")
    done = site.post(
        "/vpn/change/",
        addresses=IN_VPN,
        peer=public,
        endpoint="203.0.113.9:51820",
        allowed="10.99.0.0/24",
        keepalive="1",
    )
    assert done.status == 302, done.text
    wait_until(lambda: "Connected." in now(site), "a handshake", 20)
    return site


def now(site: Site) -> str:
    return site.get(site.station, "127.0.0.1", "/vpn/now/", "administrator", tls=False).text


def set_rules(site: Site, **places: str) -> None:
    ticks = {f"{role}-{place}": "on" for role, chosen in places.items() for place in chosen.split()}
    assert site.post("/access/change/", mode="own", sites="", **ticks).status == 302


# ---------------------------------------------------------------------- HTTPS


def test_plain_http_on_the_network_leads_to_tls_and_answers_for_health(site: Site) -> None:
    for host in (site.lan, site.stranger):
        answer = site.get(host, STATION, "/sessions/?page=2", "owner", tls=False)
        assert (answer.status, answer.headers["location"]) == (307, f"https://{STATION}:{TLS}/sessions/?page=2")
        assert "uplink" in json.loads(site.get(host, STATION, "/healthz", tls=False).body)
        assert "uplink" in json.loads(site.get(host, STATION, "/healthz").body)
    assert site.get(site.station, "127.0.0.1", "/sessions/", "owner", tls=False).status == 200


def test_a_phone_that_has_installed_the_root_is_not_warned(site: Site) -> None:
    root = site.get(site.lan, STATION, "/trust/root.crt")
    assert root.status == 200
    knows = ssl.create_default_context(cadata=root.body)
    page = site.get(site.lan, STATION, "/login/", context=knows)
    assert page.status == 200
    assert "secure" in page.headers["set-cookie"].lower()
    with pytest.raises(ssl.SSLCertVerificationError):
        site.get(site.lan, STATION, "/login/", context=ssl.create_default_context())


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
@pytest.mark.parametrize("what", ["TLS 1.1", "CBC", "no forward secrecy"])
def test_old_tls_is_not_spoken(site: Site, what: str) -> None:
    old = anything()
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.maximum_version = ssl.TLSVersion.TLSv1_1 if what == "TLS 1.1" else ssl.TLSVersion.TLSv1_2
    old.minimum_version = ssl.TLSVersion.TLSv1 if what == "TLS 1.1" else ssl.TLSVersion.TLSv1_2
    if what != "TLS 1.1":
        old.set_ciphers(
            {"CBC": "ECDHE-ECDSA-AES128-SHA", "no forward secrecy": "AES128-GCM-SHA256"}[what] + ":@SECLEVEL=0"
        )
    with pytest.raises(ssl.SSLError):
        site.get(site.lan, STATION, "/login/", context=old)


def served(site: Site) -> str:
    def name() -> str:
        return ssl.get_server_certificate((STATION, TLS), timeout=10)

    return site.lan.do(name)


def test_an_uploaded_certificate_is_served_at_once_and_taken_back(site: Site) -> None:
    own = Made("station.example.com", days=(-1000, 3000))
    before = served(site)
    done = site.post("/https/upload/", text=own.key_pem().decode() + own.pem.decode())
    assert done.status == 302, done.text
    assert served(site).split() == own.pem.decode().split()
    assert site.post("/access/trials/certificate/take-back/").status == 302
    assert served(site) == before


# ---------------------------------------------------------------------- who may come from where


def test_each_role_from_each_host(vpn: Site) -> None:
    set_rules(vpn, owner="local elsewhere", installer="local vpn", administrator="vpn")
    hosts = {
        "station": (vpn.station, STATION),
        "local": (vpn.lan, STATION),
        "vpn": (vpn.vpn, IN_VPN),
        "elsewhere": (vpn.stranger, STATION),
    }
    expected = {
        "station": {"owner", "installer", "administrator"},
        "local": {"owner", "installer"},
        "vpn": {"installer", "administrator"},
        "elsewhere": {"owner"},
    }
    for place, (host, address) in hosts.items():
        pages = {role for role in ROLES if vpn.get(host, address, "/sessions/", role).status == 200}
        assert pages == expected[place], place
    # All at once: a line that is open hears after some seconds only that there is no uplink.
    with ThreadPoolExecutor(12) as pool:
        codes = {
            (place, role): pool.submit(vpn.watch, host, address, role)
            for place, (host, address) in hosts.items()
            for role in ROLES
        }
    for (place, role), code in codes.items():
        assert code.result() == (0 if role in expected[place] else CLOSED), (place, role)
    forged = {"X-Forwarded-For": "127.0.0.1", "Forwarded": "for=127.0.0.1", "X-Real-IP": "127.0.0.1"}
    assert vpn.ask(vpn.lan, STATION, "GET", "/", "administrator", headers=forged).status == 403


def test_as_delivered_a_stranger_reaches_nothing_but_health(vpn: Site) -> None:
    assert vpn.post("/access/change/", mode="delivered", sites="").status == 302
    for role in ("", *ROLES):
        answer = vpn.get(vpn.stranger, STATION, "/login/", role)
        assert answer.status == 403
        assert "198.51.100.9 (elsewhere)" in answer.text
    assert vpn.watch(vpn.stranger, STATION, "administrator") == 403
    assert vpn.get(vpn.lan, STATION, "/login/").status == 200
    assert vpn.get(vpn.vpn, IN_VPN, "/sessions/", "administrator").status == 200


def test_a_rule_ends_lines_that_are_open(vpn: Site) -> None:
    assert vpn.post("/access/change/", mode="delivered", sites="").status == 302

    def watch() -> int:
        with vpn.line(STATION, "owner") as line:
            set_rules(vpn, owner="vpn", installer="local vpn", administrator="local vpn")
            line.send('{"have": {}}')
            with pytest.raises(ConnectionClosed) as closed:
                line.recv(timeout=20)
            assert closed.value.rcvd is not None
            return int(closed.value.rcvd.code)

    assert vpn.lan.do(watch) == CLOSED


def test_nobody_takes_the_vpn_s_address_in_the_local_network(vpn: Site) -> None:
    vpn.lan.ip("address", "add", "10.99.0.9/32", "dev", "lo")
    with pytest.raises(OSError, match="timed out"):
        vpn.get(vpn.lan, STATION, "/login/", source="10.99.0.9", timeout=1)
    assert vpn.get(vpn.lan, STATION, "/login/").status == 200


def test_the_vpn_is_switched_off_and_on(vpn: Site) -> None:
    assert vpn.post("/vpn/switch/", to="off").status == 302
    assert "The VPN is off." in now(vpn)
    assert "wg-" not in vpn.station.run("ip", "link")
    assert vpn.post("/vpn/switch/", to="on").status == 302
    wait_until(lambda: "Connected." in now(vpn), "a handshake", 20)
    assert vpn.get(vpn.vpn, IN_VPN, "/login/").status == 200


def test_another_key_does_not_fit_and_is_said_so(vpn: Site) -> None:
    """Last: the other side does not know the new key."""
    assert vpn.post("/vpn/key/").status == 302
    wait_until(lambda: "Nobody answers" in now(vpn) or "does not fit" in now(vpn), "the sentence", 10)
