"""The uplink as a process: everything built, joined, watched and taken apart again."""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
import signal
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from channels.layers import get_channel_layer
from django.conf import settings
from django.db import Error as DatabaseError
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

import station
from station.device_model.components import OCPPCommCtrlr
from station.domain.board import BoardSnapshot, Setpoint
from station.domain.certificates import TlsMaterial
from station.domain.effects import DiagnoseConnection, Errand, Remember, StopDiagnosis
from station.domain.memory import Memory
from station.domain.network import NetworkProfile
from station.domain.wire import pack_setpoint
from station.firmware.switch import switch
from station.live import bus, trace
from station.live.payloads import StationLive
from station.live.publish import Latest, Publisher
from station.ocpp.rpc import Rpc
from station.ocpp.station import Station
from station.uplink.clock import system_clock
from station.uplink.commands import CommandWatch
from station.uplink.configuration import LinkSettings, link_settings
from station.uplink.connector import Connector
from station.uplink.consumer import UplinkConsumer, UplinkWorker
from station.uplink.database import Database
from station.uplink.errands import Errands
from station.uplink.link import Link, LinkRefused
from station.uplink.meter_key import MeterKey
from station.uplink.presenter import Presenter
from station.uplink.resources import ResourceWatch
from station.uplink.runtime import LAST_SLOT, REBOOT, CommitFailed, Runtime
from station.uplink.trace import StreamWriter, Tracer

if TYPE_CHECKING:
    from station.uplink.doctor import Doctor
    from station.uplink.pkcs11 import Token

log = logging.getLogger(__name__)

FAILED = 1  # exit status: the supervisor starts the uplink anew, from what is on the disk
BEAT = 1.0  # s
ENDS_WITHIN, ENDS_TRIED = 1.0, 3  # s that a task may take to end when it is cancelled, and how often it is
STUCK = 20.0  # s that a step may take before the process no longer counts as alive
SETPOINT_REPEAT = 5.0  # s; state, not edges (DESIGN, rule 4)
EVSE_COUNT = "uplink.evses"  # remembered: how many EVSEs the real board has
DEMONSTRATION_IDENTITY = "DEMO"  # of a station that nobody has named yet, at the CSMS of its own

Word = Mapping[str, Any]


def run(health_beat: Callable[[Word], None], demo_csms_url: str | None = None) -> int:
    """Live until SIGTERM (returns 0), a reboot of the station (75), or a failure that a restart can mend (1).

    ``health_beat`` is called once a second with the word for ``/healthz``; ``demo_csms_url`` is where the
    demonstration CSMS listens, used while no network profile is stored. Django must be set up.
    """
    return asyncio.run(_live(health_beat, demo_csms_url))


async def _live(health_beat: Callable[[Word], None], demo_csms_url: str | None) -> int:
    database = Database()
    try:
        try:
            memory = await database.load()
        except (DatabaseError, ValueError) as error:
            log.error("what the station remembers cannot be read: %s", error)
            return FAILED
        return await Uplink(database, memory, health_beat, demo_csms_url).live()
    finally:
        database.close()


class Uplink:
    """One life of the uplink."""

    def __init__(
        self,
        database: Database,
        memory: Memory,
        health_beat: Callable[[Word], None],
        demo_csms_url: str | None,
    ) -> None:
        self._database = database
        self._health_beat = health_beat
        self._demo_csms_url = demo_csms_url
        self._last_profile = 1
        self._evses = _evse_count(memory)
        self.station = Station(
            memory,
            evses=self._evses,
            entropy=random.SystemRandom(),
            firmware=switch(settings.ENVIRONMENT.installer, settings.DATA_DIR, station.__version__).running(),
            signer=_meter_key(),
        )
        for ignored in self.station.model.ignored:
            log.warning("the stored value of %s.%s is ignored", ignored.component, ignored.variable)
        self._presenter = Presenter(secrets.token_hex(4), identity="", csms_url="")
        self._layer = get_channel_layer()
        self._setpoint: Setpoint | None = None
        self._board = Latest(lambda: self._setpoint, self._send_setpoint, what="the setpoint", repeat=SETPOINT_REPEAT)
        self._publisher = Publisher(self._view, self._publish)
        self._redis = Redis.from_url(
            settings.ENVIRONMENT.redis, max_connections=1, retry=Retry(NoBackoff(), 1), driver_info=None
        )
        self._tracer = Tracer(StreamWriter(self._redis, trace.stream(settings.ENVIRONMENT.instance)))
        last_slot = memory.remembered.get(LAST_SLOT)
        self.runtime = Runtime(
            self.station,
            Rpc(max_frame=self.station.model[OCPPCommCtrlr.MaxMessageSize]),
            commit=database.commit,
            set_board=self._set_board,
            changed=self._publisher.touch,
            reconnect=lambda reason: self._connector.reconnect(reason),
            errand=self._run_errand,
            clock=system_clock,
            last_slot=last_slot,
            witness=self._tracer,
        )
        self._doctor: Doctor | None = None
        self._errands = Errands(database.look_up_customer, self.runtime.offer, settings.DATA_DIR, token=_token())
        self._errands.signing.sweep(self.station.certificates.keys())
        self._commands = CommandWatch(database.filed_commands, self.runtime.offer)
        self._connector = Connector(
            self,
            self._profiles,
            self._settings,
            self._material,
            settings.KEYS_DIR,
            random.SystemRandom(),
            last_good=last_slot,
        )
        consumer = UplinkConsumer.as_asgi(
            snapshot=self._take_snapshot,
            nudge=self._commands.nudge,
            hello=lambda: self._publisher.touch(asked=True),
            report=self.runtime.offer,
            limit=self.runtime.offer,
        )
        self._worker = UplinkWorker(consumer, self._layer)

    # ------------------------------------------------------------------ life

    async def live(self) -> int:
        """Run until the station's life ends; returns the exit status."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.runtime.stop)
        self._tracer.event(trace.STARTED, system_clock())
        main = asyncio.create_task(self.runtime.run(), name="station")
        others = [asyncio.create_task(coroutine, name=name) for name, coroutine in self._helpers()]
        try:
            await asyncio.wait((main, *others), return_when=asyncio.FIRST_COMPLETED)
            status = _outcome(main, others)
        finally:
            await _end((main, *others))
            await self._connector.close()
            await self._redis.aclose()
            self._errands.close()
            if self._doctor is not None:
                self._doctor.close()
        log.info("the uplink ends%s", " for a reboot of the station" if status == REBOOT else "")
        return status

    def _helpers(self) -> list[tuple[str, Coroutine[Any, Any, None]]]:
        return [
            ("heartbeat", self._beat()),
            ("connector", self._connector.run()),
            ("channel layer", self._worker.arun()),
            ("commands", self._commands.run()),
            ("resources", ResourceWatch(settings.DATA_DIR, self.runtime.offer).run()),
            ("setpoint", self._board.run()),
            ("live view", self._publisher.run()),
            ("trace", self._tracer.run()),
        ]

    async def _beat(self) -> None:
        while True:
            if self.runtime.busy_for() < STUCK:
                self._health_beat(self.word())
            await asyncio.sleep(BEAT)

    def word(self) -> dict[str, Any]:
        """What ``/healthz`` says of the uplink."""
        outbox = self.station.outbox
        return {
            "connected": outbox.online,
            "registration": outbox.registration,
            "security_profile": self._last_profile,
            "queue": outbox.waiting,
        }

    def _run_errand(self, errand: Errand) -> None:
        if not isinstance(errand, DiagnoseConnection | StopDiagnosis):
            self._errands.run(errand)
            return
        if self._doctor is None:
            from station.uplink.doctor import Doctor  # rarely wanted, so that it costs no memory before

            self._doctor = Doctor(self._settings, self._look, settings.KEYS_DIR, self.runtime.offer)
        if isinstance(errand, DiagnoseConnection):
            self._doctor.begin(errand)
        else:
            self._doctor.stop(errand.diagnosis_id)

    # ------------------------------------------------------------------ the link (LinkUser)

    def link_opened(self, link: Link, profile: NetworkProfile, spare_password: bool) -> None:
        """Passed on to the runtime; the view shows where the station is connected to."""
        self._last_profile = profile.security_profile
        self._presenter.csms_url = profile.csms_url
        self.runtime.link_opened(link, profile, spare_password)

    def link_refused(self, profile: NetworkProfile, refusal: LinkRefused, spare_password: bool) -> None:
        """Passed on to the runtime."""
        self.runtime.link_refused(profile, refusal, spare_password)

    async def frame_received(self, frame: bytes) -> None:
        """Passed on to the runtime."""
        await self.runtime.frame_received(frame)

    def link_closed(self, reason: str) -> None:
        """Passed on to the runtime."""
        self.runtime.link_closed(reason)

    def _profiles(self) -> list[NetworkProfile]:
        profiles = self.station.network.in_force
        if not profiles and self._demo_csms_url:
            profiles = [NetworkProfile(1, self._demo_csms_url, 1)]
        if profiles and not self.station.outbox.online:
            self._last_profile = profiles[0].security_profile
            self._presenter.csms_url = self._presenter.csms_url or profiles[0].csms_url
        return profiles

    def _settings(self) -> LinkSettings:
        spare_identity = DEMONSTRATION_IDENTITY if self._demo_csms_url else ""
        chosen = link_settings(self.station.model, spare_identity, self.station.passwords.to_use)
        self._presenter.identity = chosen.identity
        return chosen

    def _material(self, slot: int) -> TlsMaterial:
        return self.station.certificates.material(self.station.clock.utc(system_clock()), slot)

    def _look(self, slot: int) -> TlsMaterial:
        return self.station.certificates.look(self.station.clock.utc(system_clock()), slot)

    # ------------------------------------------------------------------ the channel layer

    def _take_snapshot(self, snapshot: BoardSnapshot) -> None:
        found = len(snapshot.evses)
        if snapshot.online and found and found != self._evses and not settings.ENVIRONMENT.simulated:
            # A station is built for a number of EVSEs; a board that has another is a new installation.
            log.warning("the board has %d EVSEs and not %d: starting anew", found, self._evses)
            self._evses = found
            asyncio.get_running_loop().create_task(self._begin_anew(found))
            return
        self.runtime.offer(snapshot)

    async def _begin_anew(self, evses: int) -> None:
        await self._database.commit([Remember(EVSE_COUNT, evses)])
        self.runtime.stop(REBOOT)

    def _set_board(self, setpoint: Setpoint) -> None:
        self._setpoint = setpoint
        self._board.changed()

    async def _send_setpoint(self, setpoint: Setpoint) -> None:
        await self._layer.send(bus.HARDWARE, {"type": bus.BOARD_SETPOINT, "setpoint": pack_setpoint(setpoint)})

    def _view(self) -> StationLive:
        self._presenter.link_note = self._connector.state
        return self._presenter.present(self.station, system_clock())

    async def _publish(self, payload: dict[str, Any]) -> None:
        await self._layer.group_send(bus.WATCHERS, {"type": bus.LIVE_STATION, "station": payload})


def _meter_key() -> MeterKey | None:
    """The key that signs meter values; None, with a line in the log, where there can be none."""
    try:
        return MeterKey(settings.KEYS_DIR)
    except (OSError, ValueError) as error:
        log.error("meter values cannot be signed: %s", error)
        return None


def _token() -> Token | None:
    """Where private keys are, if not in files."""
    if not settings.PKCS11:
        return None
    from station.uplink import pkcs11

    return pkcs11.configured()


def _evse_count(memory: Memory) -> int:
    if settings.ENVIRONMENT.simulated:
        return int(settings.ENVIRONMENT.evses)
    return int(memory.remembered.get(EVSE_COUNT) or settings.ENVIRONMENT.evses)


async def _end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel them all; one that swallows it (libraries do, where a timeout comes at that time) hears it again."""
    left = set(tasks)
    for _ in range(ENDS_TRIED):
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=ENDS_WITHIN)
        if not left:
            return
        log.warning("still running: %s", ", ".join(sorted(task.get_name() for task in left)))


def _outcome(main: asyncio.Task[int], others: list[asyncio.Task[None]]) -> int:
    """The exit status, and a line in the log for whatever ended against its nature."""
    for task in others:
        if task.done():
            log.error("the task %r ended", task.get_name(), exc_info=task.exception())
            return FAILED
    error = main.exception()
    if error is None:
        return main.result()
    if isinstance(error, CommitFailed):
        log.error("%s", error)
    else:
        log.error("the station failed", exc_info=error)
    return FAILED
