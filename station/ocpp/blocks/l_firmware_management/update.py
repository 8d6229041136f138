"""L01: the CSMS has a firmware downloaded, verified and installed.

The station decides what happens when and what is told of it; the transfer worker downloads, verifies and installs. All
that is said to the worker is state: it is repeated while nothing is heard, and the worker does nothing twice. What the
CSMS is told goes through the durable queue, so it hears every step in order, across reboots.
"""

from __future__ import annotations

from typing import Any

from station.device_model.components import ChargingStation, FirmwareCtrlr, OCPPCommCtrlr
from station.domain.certificates import CertificateUse
from station.domain.effects import CancelTransfer, FinishCommand, StartTransfer
from station.domain.events import OperatorCommand, Started, TransferReport
from station.domain.firmware import RunningFirmware
from station.domain.moment import Moment, parse_rfc3339, rfc3339
from station.domain.signals import (
    EvseChanged,
    RebootWanted,
    RegistrationChanged,
    SecurityEvent,
    TriggerRequested,
)
from station.ocpp.block import Block, Payload
from station.ocpp.blocks.l_firmware_management import by_hand
from station.ocpp.blocks.l_firmware_management.record import (
    FINAL,
    HISTORY,
    LAST_TOLD,
    RUNNING,
    Phase,
    Update,
    dump,
    history,
    restore,
)
from station.ocpp.blocks.l_firmware_management.request import Refusal, refusal, refusal_of_signer
from station.ocpp.context import Context

RETRIES = 3  # where the CSMS leaves it to the station
RETRY_INTERVAL = 10.0  # s, likewise
MOST_RETRIES = 100  # a CSMS that asks for more wants another flash chip
SHORTEST_INTERVAL, LONGEST_INTERVAL = 1.0, 86_400.0  # s
SILENCE = 15.0  # s without a report, after which the worker is told again
GIVE_UP = 600.0  # s without a report, after which a download has failed
INSTALLS_WITHIN = 1800.0  # s without a report, after which an installation has failed
REBOOTS_WITHIN = 120.0  # s; a station that still runs then is asked once more
LOOK_AGAIN = 3600.0  # s; a clock that is set may bring a time nearer

DOWNLOAD, INSTALL, CONFIRM = "download_firmware", "install_firmware", "confirm_firmware"


class FirmwareManagement(Block):
    """At most one update at a time; a new request takes the place of a running one while that can still be left.

    ``running`` is what runs in this life of the station.
    """

    def __init__(self, context: Context, running: RunningFirmware) -> None:
        super().__init__()
        self._context = context
        self._running = running
        self._accepted = False  # by the CSMS, in this life
        self._wake_at: float | None = None
        self.update: Update | None = None
        self.actions = {"UpdateFirmware": self.update_firmware}

    def on(self, event: object, now: Moment) -> None:
        match event:
            case Started():
                self._resume(now)
            case TransferReport():
                self._hear(event, now)
            case RegistrationChanged(status="Accepted"):
                self._accepted = True
            case TriggerRequested(message="FirmwareStatusNotification"):
                self._say_on_request()
            case OperatorCommand(action=by_hand.INSTALL_FIRMWARE):
                why = self._update_by_hand(event, now)
                said = FinishCommand(event.command_id, "Rejected" if why else "Accepted", why or by_hand.ACCEPTED)
                self._context.emit(said)
        self._proceed(now)

    def deadline(self) -> float | None:
        return self._wake_at

    @property
    def waits_until(self) -> str:
        """The time that the update waits for (RFC 3339); empty where it waits for none."""
        update = self.update
        if update is None or not update.waits or self._wake_at is None:
            return ""
        return update.retrieve_at if update.phase is Phase.WAITS_TO_DOWNLOAD else update.install_at

    # ------------------------------------------------------------------ the request

    def update_firmware(self, request: Payload, now: Moment) -> dict[str, object]:
        """Answer UpdateFirmwareRequest."""
        firmware = request["firmware"]
        refused = self._refusal(firmware, now)
        if refused:
            return refused.response()
        running = self.update
        if running is not None and (running.phase in FINAL or not self._context.model[FirmwareCtrlr.UpdateCancelable]):
            why = "the running update cannot be left"
            return Refusal("Rejected", "FwUpdateInProgress", why).response()  # L01.FR.27
        if running is not None:
            self._cancel(running, now)
        retries = max(0, min(request.get("retries", RETRIES), MOST_RETRIES))
        interval = max(SHORTEST_INTERVAL, min(float(request.get("retryInterval", RETRY_INTERVAL)), LONGEST_INTERVAL))
        self.update = Update(
            request["requestId"],
            self._context.new_id(),
            firmware["location"],
            firmware["signingCertificate"],
            firmware["signature"],
            firmware["retrieveDateTime"],
            firmware.get("installDateTime", ""),
            tries=1 + retries,
            interval=interval,
            accepted_at=rfc3339(self._context.clock.utc(now)),
        )
        self._context.journal(now, "firmware_requested", host=self.update.host, who="csms")
        self._remember()
        # L01.FR.24: whether the file exists is not asked first, so that a CSMS can cancel so, too
        return {"status": "AcceptedCanceled" if running else "Accepted"}

    def _update_by_hand(self, command: OperatorCommand, now: Moment) -> str:
        """Begin an update whose file a person has uploaded; why not, where it cannot be."""
        try:
            order = by_hand.order_of(command.arguments)
        except ValueError:
            return "This cannot be read."
        roots = self._context.certificates.roots(CertificateUse.MANUFACTURER_ROOT)
        signer = {"signingCertificate": order["certificate"], "signature": order["signature"]}
        refused = self._judged(refusal_of_signer(signer, roots, self._context.clock.utc(now)), now)
        why = "" if refused is None else f"{refused.why[:1].upper()}{refused.why[1:]}."
        if not why and self.update is not None:
            why = "Another firmware update is under way."
        if why:
            self._context.emit(CancelTransfer(order["transfer_id"]))  # its file is of no use
            return why
        self.update = by_hand.update_of(order, rfc3339(self._context.clock.utc(now)), RETRY_INTERVAL)
        self._context.journal(now, "firmware_uploaded", who=command.who)
        self._remember()
        return ""

    def _refusal(self, firmware: Payload, now: Moment) -> Refusal | None:
        protocols = self._context.model[OCPPCommCtrlr.FileTransferProtocols]
        roots = self._context.certificates.roots(CertificateUse.MANUFACTURER_ROOT)
        return self._judged(refusal(firmware, protocols, roots, self._context.clock.utc(now)), now)

    def _judged(self, found: Refusal | None, now: Moment) -> Refusal | None:
        """What is refused changes nothing, but who attacks the station is told of."""
        if found is not None and found.security_event:
            self._context.journal(now, "firmware_refused", why=found.why)
            self._context.raise_signal(SecurityEvent(found.security_event, found.why))
        return found

    def _cancel(self, update: Update, now: Moment) -> None:
        """L01.FR.24: leave the running update for a new one."""
        self._context.emit(CancelTransfer(update.transfer_id))
        self._context.journal(now, "firmware_canceled")
        self._note(update, "AcceptedCanceled", "a new request took its place", now)
        self.update = None

    # ------------------------------------------------------------------ going on

    def _proceed(self, now: Moment) -> None:
        """Do what can be done now; called with every event."""
        self._wake_at = None
        update = self.update
        if update is not None:
            match update.phase:
                case Phase.WAITS_TO_DOWNLOAD:
                    self._wait_to_download(update, now)
                case Phase.DOWNLOADS:
                    self._keep_downloading(update, now)
                case Phase.WAITS_TO_INSTALL:
                    self._wait_to_install(update, now)
                case Phase.INSTALLS:
                    self._keep_ordering(update, INSTALL, INSTALLS_WITHIN, now)
                case Phase.REBOOTS:
                    self._keep_rebooting(update, now)
                case Phase.PROVES_ITSELF:
                    if self._accepted:
                        self._keep_ordering(update, CONFIRM, None, now)
        self._withdraw()
        self._context.installing = self.update is not None and self.update.phase in (Phase.INSTALLS, Phase.REBOOTS)

    def _wait_to_download(self, update: Update, now: Moment) -> None:
        if self._wait_for(update.retrieve_at, now) or self._must_wait(FirmwareCtrlr.DownloadDuringTransactions):
            self._say_once(update, "DownloadScheduled", now)  # L01.FR.13
            return
        update.downloads += 1
        self._order(update, Phase.DOWNLOADS, DOWNLOAD, now)

    def _keep_downloading(self, update: Update, now: Moment) -> None:
        if update.next_at is None:
            self._keep_ordering(update, DOWNLOAD, GIVE_UP, now)
        elif now.monotonic >= update.next_at:
            update.downloads += 1
            self._order(update, Phase.DOWNLOADS, DOWNLOAD, now)
        else:
            self._wake_at = update.next_at

    def _wait_to_install(self, update: Update, now: Moment) -> None:
        waits = bool(update.install_at) and self._wait_for(update.install_at, now)
        if waits or self._must_wait(FirmwareCtrlr.InstallDuringTransactions):
            self._say_once(update, "InstallScheduled", now)  # L01.FR.16, L01.FR.34
            return
        self._say(update, "Installing", now)  # L01.FR.05
        self._order(update, Phase.INSTALLS, INSTALL, now)

    def _keep_rebooting(self, update: Update, now: Moment) -> None:
        if now.monotonic >= update.told_at + REBOOTS_WITHIN:
            self._reboot(update, now)
        self._wake_at = update.told_at + REBOOTS_WITHIN

    def _wait_for(self, at: str, now: Moment) -> bool:
        """True, and a time to look again, where that time is still to come."""
        left = (parse_rfc3339(at) - self._context.clock.utc(now)).total_seconds()
        if left <= 0:
            return False
        self._wake_at = now.monotonic + min(left, LOOK_AGAIN)
        return True

    def _must_wait(self, allowed: Any) -> bool:
        """Somebody charges, or is about to, and what ``allowed`` names is not done meanwhile (L01.FR.06)."""
        return not self._context.model[allowed] and self._in_use()

    def _in_use(self) -> bool:
        return any(seat.transaction or seat.authorization for seat in self._context.seats())

    # ------------------------------------------------------------------ EVSEs

    def _withdraw(self) -> None:
        """Take out of service what the update needs free; give back what it does not."""
        wanted = self._withdrawn()
        states = self._context.availability
        changed, states.updating = states.updating ^ wanted, wanted
        for evse_id in sorted(changed):
            self._context.raise_signal(EvseChanged(evse_id))

    def _withdrawn(self) -> set[int]:
        update, evses = self.update, self._context.evses
        model = self._context.model
        if update is None or model[FirmwareCtrlr.InstallDuringTransactions]:
            return set()
        if update.phase in (Phase.INSTALLS, Phase.REBOOTS):
            return set(evses)
        waiting = update.waits and self._wake_at is None  # for transactions, and not for a time
        if not waiting or model[ChargingStation.AllowNewSessionsPendingFirmwareUpdate]:
            return set()
        if self._context.lobby.authorization:
            return set(self._context.availability.updating)  # who was let in before may still plug in
        # L01.FR.07: what is not in use now, and what becomes free later
        return {evse.id for evse in evses.values() if not (evse.transaction or evse.authorization)}

    # ------------------------------------------------------------------ the transfer worker

    def _order(self, update: Update, phase: Phase, task: str, now: Moment) -> None:
        update.phase = phase
        update.attempt += 1
        update.next_at = None
        update.began_at = update.heard_at = now.monotonic
        self._remember()
        self._tell(update, task, now)
        self._wake_at = update.told_at + SILENCE

    def _tell(self, update: Update, task: str, now: Moment) -> None:
        update.told_at = now.monotonic
        model = self._context.model
        parameters: dict[str, Any] = {}
        if task in (DOWNLOAD, INSTALL):
            parameters = {"certificate": update.certificate, "signature": update.signature}
        if task == DOWNLOAD:
            parameters |= {"url": update.url, "most_bytes": model[FirmwareCtrlr.MaxImageSize]}
        if task == INSTALL:
            parameters["patience"] = model[FirmwareCtrlr.ProbationTime]
        self._context.emit(StartTransfer(update.transfer_id, update.attempt, task, parameters))

    def _keep_ordering(self, update: Update, task: str, give_up: float | None, now: Moment) -> None:
        """Say it again while nothing is heard, for Redis or the worker may be away."""
        if give_up is not None and now.monotonic >= update.heard_at + give_up:
            if task == DOWNLOAD:
                self._download_failed(update, "the transfer worker does not answer", now)
            else:
                self._end(update, "InstallationFailed", "the transfer worker does not answer", now)
            return
        if task == CONFIRM and update.heard_at == 0.0:
            self._order(update, Phase.PROVES_ITSELF, CONFIRM, now)
        elif now.monotonic >= max(update.heard_at, update.told_at) + SILENCE:
            self._tell(update, task, now)
        self._wake_at = max(update.heard_at, update.told_at) + SILENCE

    def _hear(self, report: TransferReport, now: Moment) -> None:
        update = self.update
        if update is None or update.next_at is not None:
            return  # late: of an update or attempt that is over
        if (report.transfer_id, report.attempt) != (update.transfer_id, update.attempt):
            return
        update.heard_at = now.monotonic
        match update.phase:
            case Phase.DOWNLOADS:
                self._hear_of_download(update, report, now)
            case Phase.INSTALLS:
                self._hear_of_installation(update, report, now)
            case Phase.PROVES_ITSELF if report.status == "Confirmed":
                self._installed(update, now)

    def _hear_of_download(self, update: Update, report: TransferReport, now: Moment) -> None:
        update.moved, update.total = report.moved, report.total
        match report.status:
            case "Downloading":
                self._say_once(update, "Downloading", now)
            case "Downloaded":
                self._say_downloaded(update, now)
            case "SignatureVerified":
                self._say_downloaded(update, now)
                self._say(update, "SignatureVerified", now)
                update.phase = Phase.WAITS_TO_INSTALL
                self._remember()
            case "InvalidSignature":
                self._say_downloaded(update, now)
                self._context.raise_signal(SecurityEvent("InvalidFirmwareSignature", report.detail))  # L01.FR.03
                self._end(update, "InvalidSignature", report.detail, now)
            case "DownloadFailed":
                self._download_failed(update, report.detail, now)

    def _say_downloaded(self, update: Update, now: Moment) -> None:
        if update.status != "Downloaded":
            self._say_once(update, "Downloading", now)
            self._say(update, "Downloaded", now)

    def _download_failed(self, update: Update, why: str, now: Moment) -> None:
        if update.downloads >= update.tries:
            self._say_once(update, "Downloading", now)
            self._end(update, "DownloadFailed", why, now)  # L01.FR.30
            return
        update.detail = why
        update.next_at = self._wake_at = max(now.monotonic, update.began_at + update.interval)
        self._context.journal(now, "firmware_download_retried", detail=why)
        self._remember()

    def _hear_of_installation(self, update: Update, report: TransferReport, now: Moment) -> None:
        match report.status:
            case "Prepared":
                update.version = report.detail
                update.phase = Phase.REBOOTS
                self._say(update, "InstallRebooting", now)  # L01.FR.15, L01.FR.32
                self._remember()
                self._reboot(update, now)
            case "InstallVerificationFailed" | "InstallationFailed":  # L01.FR.29
                self._end(update, report.status, report.detail, now)

    def _reboot(self, update: Update, now: Moment) -> None:
        update.told_at = now.monotonic
        # Without InstallDuringTransactions none runs here (L01.FR.33); with it, they outlive the change of the code.
        self._context.raise_signal(RebootWanted("FirmwareUpdate"))

    # ------------------------------------------------------------------ after a restart

    def _resume(self, now: Moment) -> None:
        known = self._context.remembered.get(RUNNING)
        if known is None:
            return
        update = self.update = restore(known)
        if update is None:  # of an older version, or damaged: nobody waits for it for ever
            self._context.remember(RUNNING, None)
            return
        update.heard_at = update.told_at = now.monotonic
        if update.phase not in FINAL:
            if update.phase is Phase.DOWNLOADS:
                update.began_at = now.monotonic
                self._tell(update, DOWNLOAD, now)
        elif self._runs(update):
            update.phase, update.heard_at = Phase.PROVES_ITSELF, 0.0
            self._remember()
        elif self._running.pending == update.transfer_id:
            update.phase = Phase.REBOOTS  # it is ready, and what should have rebooted the station did not
            self._reboot(update, now)
        elif update.phase is Phase.INSTALLS and self._running.failed != update.transfer_id:
            self._tell(update, INSTALL, now)
        else:
            why = self._running.why or f"version {self._running.version} came back"
            self._end(update, "InstallationFailed", why, now)

    def _runs(self, update: Update) -> bool:
        return bool(self._running.installation) and self._running.installation == update.transfer_id

    # ------------------------------------------------------------------ the end

    def _installed(self, update: Update, now: Moment) -> None:
        update.version = self._running.version
        self._context.raise_signal(SecurityEvent("FirmwareUpdated", f"version {self._running.version}"))  # L01.FR.31
        self._end(update, "Installed", "", now)  # L01.FR.28

    def _end(self, update: Update, status: str, detail: str, now: Moment) -> None:
        self._context.emit(CancelTransfer(update.transfer_id))  # its files are of no more use
        kind = "firmware_installed" if status == "Installed" else "firmware_failed"
        self._context.journal(now, kind, status=status, detail=detail, version=update.version)
        self._say(update, status, now)
        self._note(update, status, detail, now)
        self.update = None

    def _note(self, update: Update, status: str, detail: str, now: Moment) -> None:
        """Keep for good how an update ended."""
        entry = {
            "at": rfc3339(self._context.clock.utc(now)),
            "accepted_at": update.accepted_at,
            "request_id": update.request_id,
            "version": update.version,
            "status": status,
            "detail": detail,
            "running": self._running.version,
        }
        self._context.remember(HISTORY, history(self._context.remembered.get(HISTORY), entry))
        self._context.remember(RUNNING, None)

    def _remember(self) -> None:
        if self.update is not None:
            self._context.remember(RUNNING, dump(self.update))

    # ------------------------------------------------------------------ what the CSMS hears

    def _say_once(self, update: Update, status: str, now: Moment) -> None:
        if update.status != status:
            self._say(update, status, now)
            self._remember()

    def _say(self, update: Update, status: str, now: Moment) -> None:
        update.status = status
        if update.request_id is None:
            return  # L01.FR.20: there is no request to name
        told = {"status": status, "requestId": update.request_id}  # L01.FR.10, L01.FR.20
        self._context.outbox.enqueue("FirmwareStatusNotification", told, now)  # L01.FR.01
        self._context.remember(LAST_TOLD, told)

    def _say_on_request(self) -> None:
        told = self._context.remembered.get(LAST_TOLD)
        if not isinstance(told, dict) or told["status"] == "Installed":
            told = {"status": "Idle"}  # L01.FR.25, F06.FR.16
        self._context.call("FirmwareStatusNotification", told, requested=True)  # L01.FR.26
