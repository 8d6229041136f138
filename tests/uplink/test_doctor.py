"""The connection doctor, against real peers: which step ends how, what is advised, and nothing is given away."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from station.domain.certificates import TlsMaterial
from station.domain.diagnosis import Outcome, Step, StepName
from station.domain.effects import DiagnoseConnection
from station.domain.events import ConnectionDiagnosed
from station.domain.network import FailureCause, NetworkProfile
from station.uplink.backoff import BackOffRules
from station.uplink.configuration import LinkSettings
from station.uplink.doctor import Doctor, diagnose
from tests.uplink.forge import make, server_context
from tests.uplink.names import HOST, every_name_is_here
from tests.uplink.peers import Peer, status, upgrade

PASSWORD = "a-password-of-20-let"
HERE = "127.0.0.1"
ROOT = make("Root", ca=True)
MIDDLE = make("Middle", ROOT, ca=True)
PASSED, WARNED, FAILED, SKIPPED = Outcome
MATERIAL = TlsMaterial((ROOT.pem,))


def settings(identity: str = "CS1", password: str = PASSWORD) -> LinkSettings:
    return LinkSettings(identity, password, (1,), 1, BackOffRules(1, 0, 1), 0)


def order(url: str, profile: int = 2, **options: object) -> DiagnoseConnection:
    return DiagnoseConnection("d", NetworkProfile(1, url, profile), **options)


def walk(order: DiagnoseConnection, chosen: LinkSettings | None = None, material: TlsMaterial = MATERIAL) -> list[Step]:
    async def run() -> list[Step]:
        return [step async for step in diagnose(order, chosen or settings(), material, Path("none"))]

    steps = asyncio.run(run())
    for step in steps:
        text = json.dumps([step.says, step.advice])
        assert PASSWORD not in text
        assert step.says.endswith(".")
        assert step.seconds >= 0
        assert step.advice or step.outcome in (PASSED, SKIPPED)
    return steps


def course(steps: list[Step]) -> list[tuple[str, str]]:
    return [(str(step.name), str(step.outcome)) for step in steps]


def secure(port: int, host: str = HERE) -> str:
    return f"wss://{host}:{port}/ocpp"


GOOD = make("csms", MIDDLE, names=[HERE])


def test_all_is_well() -> None:
    with Peer(server_context(GOOD), answer=upgrade()) as peer:
        steps = walk(order(secure(peer.port)))
    assert course(steps) == [
        ("configuration", "passed"),
        ("name", "passed"),
        ("tcp", "passed"),
        ("tls", "passed"),
        ("authentication", "passed"),
        ("subprotocol", "passed"),
        ("boot", "skipped"),
    ]
    tls = steps[3]
    assert "TLSv1.3" in tls.says
    assert [one.subject for one in tls.certificates] == ["csms", "Middle", "Root"]
    assert (tls.certificates[0].names, tls.certificates[0].key) == ((HERE,), "EC 256")
    assert tls.certificates[0].days_left in (399, 400)


def test_without_tls() -> None:
    with Peer(answer=upgrade()) as peer:
        steps = walk(order(f"ws://{HERE}:{peer.port}/ocpp", 1))
    assert course(steps)[3:] == [
        ("tls", "skipped"),
        ("authentication", "passed"),
        ("subprotocol", "passed"),
        ("boot", "skipped"),
    ]


def test_a_station_that_is_connected_does_not_log_in_again() -> None:
    with Peer(server_context(GOOD), answer=upgrade()) as peer:
        steps = walk(order(secure(peer.port), connected=True, registration="Pending"))
        assert peer.heard == b""
    assert course(steps)[4:] == [("authentication", "passed"), ("subprotocol", "passed"), ("boot", "warned")]


@pytest.mark.parametrize("registration", ["Accepted", "Rejected", None])
def test_the_boot_of_a_station_that_is_connected(registration: str | None) -> None:
    with Peer(answer=upgrade()) as peer:
        steps = walk(order(f"ws://{HERE}:{peer.port}/ocpp", 1, connected=True, registration=registration), settings())
    assert steps[-1].outcome == {"Accepted": PASSED, "Rejected": FAILED, None: WARNED}[registration]


@pytest.mark.parametrize(
    ("chosen", "target", "material", "says"),
    [
        (settings(identity=""), order(f"ws://{HERE}:1/x", 1), MATERIAL, "no identity"),
        (settings(), order(f"ws://{HERE}:1/x", 2), MATERIAL, "wss://"),
        (settings(), order(f"wss://{HERE}:1/x", 2), TlsMaterial(()), "root certificate is installed"),
        (settings(), order(f"wss://{HERE}:1/x", 3), MATERIAL, "charging station certificate"),
    ],
)
def test_what_the_station_lacks(
    chosen: LinkSettings, target: DiagnoseConnection, material: TlsMaterial, says: str
) -> None:
    (step,) = walk(target, chosen, material)
    assert (step.name, step.outcome, step.cause) == (StepName.CONFIGURATION, FAILED, FailureCause.CONFIGURATION)
    assert says in step.says


def test_no_password_is_odd() -> None:
    with Peer(server_context(GOOD), answer=status(401)) as peer:
        steps = walk(order(secure(peer.port)), settings(password=""))
    assert course(steps)[0] == ("configuration", "warned")
    assert (steps[-1].outcome, steps[-1].cause) == (FAILED, FailureCause.CREDENTIALS)


def test_a_name_that_nobody_knows() -> None:
    steps = walk(order("wss://no such host.invalid/ocpp"))
    assert course(steps) == [("configuration", "passed"), ("name", "failed")]
    assert steps[-1].cause is FailureCause.NAME


def test_nobody_listens() -> None:
    steps = walk(order(f"wss://{HERE}:1/ocpp"))
    assert course(steps)[-1] == ("tcp", "failed")
    assert "firewall" in steps[-1].advice


def test_the_chain_is_shown_also_where_it_is_refused() -> None:
    stranger = make("Stranger", ca=True)
    with Peer(server_context(make("csms", stranger, names=[HERE])), answer=upgrade()) as peer:
        (*_, step) = walk(order(secure(peer.port)))
        assert peer.heard == b""
    assert (step.name, step.outcome, step.cause) == (StepName.TLS, FAILED, FailureCause.CSMS_CERTIFICATE)
    assert [(one.subject, one.issuer) for one in step.certificates] == [("csms", "CN=Stranger,O=Test")]
    assert "Install the root certificate" in step.advice


@pytest.mark.parametrize(
    ("made", "advice"),
    [
        (make("csms", ROOT, names=[HERE], ends=-1), "renew"),
        (make("csms", ROOT, names=[HERE], begins=1), "clock"),
        (make("csms", names=[HERE]), "authority"),
        (make("csms", ROOT, names=["127.0.0.2"]), "host name"),
    ],
)
def test_advice_on_a_certificate(made, advice: str) -> None:
    with Peer(server_context(made), answer=upgrade()) as peer:
        (*_, step) = walk(order(secure(peer.port)))
    assert step.cause is FailureCause.CSMS_CERTIFICATE
    assert advice in step.advice
    assert step.certificates


def test_a_wrong_name(monkeypatch: pytest.MonkeyPatch) -> None:
    every_name_is_here(monkeypatch)
    with Peer(server_context(make("two.csms.test", ROOT)), answer=upgrade()) as peer:
        (*_, step) = walk(order(secure(peer.port, HOST)))
    assert "host name" in step.advice


def test_a_certificate_that_ends_soon() -> None:
    with Peer(server_context(make("csms", ROOT, names=[HERE], ends=3.5)), answer=upgrade()) as peer:
        steps = walk(order(secure(peer.port)))
    assert course(steps)[3] == ("tls", "warned")
    assert "3 days" in steps[3].says
    assert steps[-1].name is StepName.BOOT


def test_the_subprotocol() -> None:
    with Peer(server_context(GOOD), answer=upgrade(None)) as peer:
        steps = walk(order(secure(peer.port)))
    assert course(steps)[-2:] == [("authentication", "passed"), ("subprotocol", "failed")]


def test_somebody_else_listens() -> None:
    with Peer(blurts=b"SSH-2.0-OpenSSH_9.2\r\n") as peer:
        (*_, step) = walk(order(secure(peer.port)))
    assert (step.name, step.cause) == (StepName.TLS, FailureCause.TLS)


# ------------------------------------------------------------------ as a task


def doctor(heard: list[ConnectionDiagnosed]) -> Doctor:
    return Doctor(settings, lambda slot: MATERIAL, Path("none"), heard.append)


def test_each_step_is_told_as_it_ends() -> None:
    heard: list[ConnectionDiagnosed] = []

    async def run() -> None:
        with Peer(server_context(GOOD), answer=upgrade()) as peer:
            one = doctor(heard)
            one.begin(order(secure(peer.port)))
            async with asyncio.timeout(10):
                await one._task

    asyncio.run(run())
    assert [len(one.steps) for one in heard] == [1, 2, 3, 4, 5, 6, 7, 7]
    assert [one.over for one in heard] == [False] * 7 + [True]


def test_a_diagnosis_may_be_stopped() -> None:
    heard: list[ConnectionDiagnosed] = []

    async def run() -> None:
        tcp = asyncio.Event()

        def hear(found: ConnectionDiagnosed) -> None:
            heard.append(found)
            if found.steps[-1].name is StepName.TCP:
                tcp.set()

        with Peer(silent=True) as peer:
            one = Doctor(settings, lambda slot: MATERIAL, Path("none"), hear)
            one.begin(order(secure(peer.port)))
            async with asyncio.timeout(10):
                await tcp.wait()
            one.stop("another")
            assert one._task is not None
            one.stop("d")
            task = asyncio.all_tasks() - {asyncio.current_task()}
            await asyncio.gather(*task, return_exceptions=True)

    asyncio.run(run())
    assert course(list(heard[-1].steps))[-1] == ("tcp", "passed")
    assert not heard[-1].over


def test_a_mistake_of_the_doctors_ends_the_diagnosis(monkeypatch: pytest.MonkeyPatch, caplog) -> None:
    heard: list[ConnectionDiagnosed] = []

    async def run() -> None:
        one = Doctor(settings, lambda slot: 1 / 0, Path("none"), heard.append)  # type: ignore[arg-type, return-value]
        one.begin(order("ws://x/y", 1))
        await asyncio.gather(one._task)

    asyncio.run(run())
    assert heard[-1].over
    assert heard[-1].steps[-1].outcome is FAILED
