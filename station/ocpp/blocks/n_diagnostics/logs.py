"""N01: the CSMS has a log uploaded.

The station decides when an attempt begins and what is told of it; the transfer worker makes the file and sends it. All
that is said to the worker is state: it is repeated while nothing is heard, and the worker does nothing twice.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any
from urllib.parse import urlsplit

from station.device_model.components import OCPPCommCtrlr, SecurityCtrlr
from station.domain.effects import CancelTransfer, FinishCommand, StartTransfer
from station.domain.events import OperatorCommand, Started, TransferReport
from station.domain.moment import Moment, parse_rfc3339
from station.domain.signals import TriggerRequested
from station.ocpp.block import Block, Payload
from station.ocpp.blocks.n_diagnostics.facts import facts
from station.ocpp.context import Context

RUNNING = "log_upload"  # remembered while an upload is under way; sealed at rest, for the URL may hold a password

RETRIES = 3  # where the CSMS leaves it to the station
RETRY_INTERVAL = 60.0  # s, likewise
MOST_RETRIES = 100  # a CSMS that asks for more wants another flash chip
SHORTEST_INTERVAL, LONGEST_INTERVAL = 1.0, 86_400.0  # s
BY_HAND_RETRIES, BY_HAND_INTERVAL = 1, 5.0  # somebody waits for it
BY_HAND = "The log is being made and sent."
SILENCE = 15.0  # s without a report, after which the worker is told again
GIVE_UP = 300.0  # s without a report, after which the attempt has failed
AHEAD = 300.0  # s that the CSMS's clock may be ahead of the station's

FAILURES = ("UploadFailure", "BadMessage", "PermissionDenied", "NotSupportedOperation")
PREFIXES = {"DiagnosticsLog": "diagnostics", "SecurityLog": "security"}


@dataclass(slots=True)
class _Upload:
    """One GetLog, from its acceptance until the CSMS has heard how it ended. Times are monotonic, in seconds."""

    request_id: int | None  # None: a person has it sent, and the CSMS hears nothing of it
    transfer_id: str
    log_type: str
    url: str
    filename: str
    attempts: int  # at most
    interval: float  # s from the begin of one attempt to that of the next
    oldest: str = ""
    latest: str = ""
    attempt: int = 1
    ended: str = ""  # the last status, from when on it is to be told
    said_uploading: bool = False
    began_at: float = 0.0
    heard_at: float = 0.0
    told_at: float = 0.0
    next_at: float | None = None  # waiting for the next attempt


_LASTING = frozenset(field.name for field in fields(_Upload)) - {
    "said_uploading",
    "began_at",
    "heard_at",
    "told_at",
    "next_at",
}


class Logs(Block):
    """At most one upload at a time; a new request takes the place of a running one (N01.FR.12)."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._upload: _Upload | None = None
        self.actions = {"GetLog": self.get_log}

    def on(self, event: object, now: Moment) -> None:
        match event:
            case Started():
                self._resume(now)
            case TransferReport():
                self._hear(event, now)
            case TriggerRequested(message="LogStatusNotification"):
                self._say_on_request()
            case OperatorCommand(action="send_log"):
                why = self._send_by_hand(event, now)
                said = FinishCommand(event.command_id, "Rejected" if why else "Accepted", why or BY_HAND)
                self._context.emit(said)
        self._pass_time(now)

    def deadline(self) -> float | None:
        upload = self._upload
        if upload is None or upload.ended:
            return None
        return upload.next_at if upload.next_at is not None else max(upload.heard_at, upload.told_at) + SILENCE

    # ------------------------------------------------------------------ the request

    def get_log(self, request: Payload, now: Moment) -> dict[str, object]:
        """Answer GetLogRequest."""
        log = request["log"]
        url: str = log["remoteLocation"]
        flaw = _flaw(url, self._context.model[OCPPCommCtrlr.FileTransferProtocols])
        if flaw:
            return _rejected("InvalidURL", flaw)
        missing = self._nothing_of(log, now)
        if missing:
            return _rejected("NotFound", missing)  # N01.FR.05
        canceled = self._cancel(now)
        retries = max(0, min(request.get("retries", RETRIES), MOST_RETRIES))
        interval = max(SHORTEST_INTERVAL, min(float(request.get("retryInterval", RETRY_INTERVAL)), LONGEST_INTERVAL))
        upload = self._upload = _Upload(
            request["requestId"],
            self._context.new_id(),
            request["logType"],
            url,
            self._filename(request["logType"], request["requestId"], now),
            attempts=1 + retries,
            interval=interval,
            oldest=log.get("oldestTimestamp", ""),
            latest=log.get("latestTimestamp", ""),
        )
        self._context.journal(
            now, "log_requested", log_type=upload.log_type, host=_host(url), file=upload.filename, who="csms"
        )
        self._begin(upload, now)
        status = "AcceptedCanceled" if canceled else "Accepted"  # N01.FR.12, N01.FR.01
        return {"status": status, "filename": upload.filename}

    def _send_by_hand(self, command: OperatorCommand, now: Moment) -> str:
        """Begin to send a log to where a person wants it; why not, where it cannot be."""
        log_type, url = command.arguments.get("log_type"), command.arguments.get("url")
        if log_type not in PREFIXES or not isinstance(url, str):
            return "This cannot be read."
        if flaw := _flaw(url, self._context.model[OCPPCommCtrlr.FileTransferProtocols]):
            return f"{flaw[:1].upper()}{flaw[1:]}."
        if self._upload is not None:
            return "Another log is being sent."
        upload = self._upload = _Upload(
            None,
            self._context.new_id(),
            log_type,
            url,
            self._filename(log_type, None, now),
            attempts=1 + BY_HAND_RETRIES,
            interval=BY_HAND_INTERVAL,
        )
        told = {"log_type": log_type, "host": _host(url), "file": upload.filename, "who": command.who}
        self._context.journal(now, "log_ordered", **told)
        self._begin(upload, now)
        return ""

    def _nothing_of(self, log: Payload, now: Moment) -> str:
        """Why there can be nothing of the time asked for; empty where there may be."""
        oldest, latest = log.get("oldestTimestamp"), log.get("latestTimestamp")
        if oldest and latest and parse_rfc3339(oldest) > parse_rfc3339(latest):
            return "oldestTimestamp is later than latestTimestamp"
        if oldest and (parse_rfc3339(oldest) - self._context.clock.utc(now)).total_seconds() > AHEAD:
            return "oldestTimestamp is in the future"
        return ""

    def _filename(self, log_type: str, request_id: int | None, now: Moment) -> str:
        identity = self._context.model[SecurityCtrlr.Identity] or "station"
        safe = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "-_") else "-" for sign in identity)
        at = f"{self._context.clock.utc(now):%Y%m%dT%H%M%SZ}"
        number = "" if request_id is None else f"_{request_id}"
        return f"{PREFIXES[log_type]}_{safe}_{at}{number}.log.gz"

    def _cancel(self, now: Moment) -> bool:
        """Leave the running upload, if there is one."""
        upload = self._upload
        if upload is None or upload.ended:
            return False
        self._context.emit(CancelTransfer(upload.transfer_id))
        self._context.journal(now, "log_canceled", file=upload.filename)
        upload.ended = "AcceptedCanceled"
        self._say(upload, upload.ended)  # N01.FR.20
        return True

    # ------------------------------------------------------------------ attempts

    def _begin(self, upload: _Upload, now: Moment) -> None:
        upload.began_at = upload.heard_at = now.monotonic
        upload.next_at = None
        self._remember(upload)
        self._tell(upload, now)

    def _tell(self, upload: _Upload, now: Moment) -> None:
        """Have the worker do, or go on with, the running attempt; or tell once more what came of it."""
        upload.told_at = now.monotonic
        parameters: dict[str, Any] = {
            "log_type": upload.log_type,
            "url": upload.url,
            "filename": upload.filename,
            "oldest": upload.oldest,
            "latest": upload.latest,
        }
        if upload.log_type == "DiagnosticsLog":
            parameters["facts"] = facts(self._context, now)
        self._context.emit(StartTransfer(upload.transfer_id, upload.attempt, "upload_log", parameters))

    def _resume(self, now: Moment) -> None:
        """After a restart: go on with the attempt, or tell what may not have been heard."""
        known = self._context.remembered.get(RUNNING)
        if not isinstance(known, dict):
            return
        try:
            self._upload = _Upload(**{name: value for name, value in known.items() if name in _LASTING})
        except TypeError:  # of an older version, or damaged: nobody waits for it for ever
            self._context.remember(RUNNING, None)
            return
        if self._upload.ended:
            self._say(self._upload, self._upload.ended)
        else:
            self._begin(self._upload, now)

    def _hear(self, report: TransferReport, now: Moment) -> None:
        upload = self._upload
        if upload is None or upload.ended or upload.next_at is not None:
            return  # late: of an upload or attempt that is over
        if (report.transfer_id, report.attempt) != (upload.transfer_id, upload.attempt):
            return
        upload.heard_at = now.monotonic
        if report.status == "Uploaded":
            self._say_uploading(upload)
            self._end(upload, "Uploaded", report.detail, now)  # N01.FR.09
        elif report.status in FAILURES:
            self._say_uploading(upload)
            self._failed(upload, report.status, report.detail, now)
        elif report.status == "Uploading":
            self._say_uploading(upload)

    def _failed(self, upload: _Upload, status: str, detail: str, now: Moment) -> None:
        if upload.attempt >= upload.attempts:
            self._end(upload, status, detail, now)  # N01.FR.10: only after the last attempt
            return
        upload.attempt += 1
        upload.next_at = max(now.monotonic, upload.began_at + upload.interval)
        self._context.journal(now, "log_upload_retried", file=upload.filename, status=status, detail=detail)
        self._remember(upload)

    def _pass_time(self, now: Moment) -> None:
        upload = self._upload
        if upload is None or upload.ended:
            return
        if upload.next_at is not None:
            if now.monotonic >= upload.next_at:
                self._begin(upload, now)
        elif now.monotonic >= upload.heard_at + GIVE_UP:
            self._say_uploading(upload)
            self._failed(upload, "UploadFailure", "the transfer worker does not answer", now)
        elif now.monotonic >= max(upload.heard_at, upload.told_at) + SILENCE:
            self._tell(upload, now)

    def _end(self, upload: _Upload, status: str, detail: str, now: Moment) -> None:
        upload.ended = status
        self._context.emit(CancelTransfer(upload.transfer_id))  # its files are of no more use
        kind = "log_uploaded" if status == "Uploaded" else "log_upload_failed"
        self._context.journal(now, kind, file=upload.filename, status=status, detail=detail)
        self._remember(upload)
        self._say(upload, status)

    def _remember(self, upload: _Upload) -> None:
        self._context.remember(RUNNING, {name: value for name, value in asdict(upload).items() if name in _LASTING})

    # ------------------------------------------------------------------ what the CSMS hears

    def _say_uploading(self, upload: _Upload) -> None:
        if not upload.said_uploading:  # N01.FR.08, once for all attempts
            upload.said_uploading = True
            self._say(upload, "Uploading")

    def _say(self, upload: _Upload, status: str) -> None:
        """Tell the CSMS; what the loss of the link swallowed is told when it is back, in the same order."""

        def failed(code: str, at: Moment) -> None:
            if code == "LinkDown":
                self._say(upload, status)
            else:
                self._said(upload, status)

        if upload.request_id is None:
            self._said(upload, status)  # N01.FR.07, N01.FR.13: there is no request to name
            return
        self._context.call(
            "LogStatusNotification",
            {"status": status, "requestId": upload.request_id},  # N01.FR.07, N01.FR.13
            answered=lambda response, at: self._said(upload, status),
            failed=failed,
        )

    def _said(self, upload: _Upload, status: str) -> None:
        if upload is self._upload and upload.ended and status == upload.ended:
            self._upload = None
            self._context.remember(RUNNING, None)

    def _say_on_request(self) -> None:
        upload = self._upload
        if upload is None or upload.ended or upload.request_id is None:
            payload: dict[str, Any] = {"status": "Idle"}  # F06.FR.15
        else:
            payload = {"status": "Uploading", "requestId": upload.request_id}  # F06.FR.14
        self._context.call("LogStatusNotification", payload, requested=True)


def _rejected(reason_code: str, info: str) -> dict[str, object]:
    return {"status": "Rejected", "statusInfo": {"reasonCode": reason_code, "additionalInfo": info}}


def _flaw(url: str, protocols: tuple[str, ...]) -> str:
    """What keeps ``url`` from being uploaded to; empty where nothing does. The URL itself is not repeated."""
    if not url.isprintable() or any(sign.isspace() for sign in url):
        return "the URL contains spaces or control characters"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "the URL cannot be read"
    if parts.scheme.upper() not in protocols:
        return f"the URL begins with none of {', '.join(protocol.lower() for protocol in protocols)}"
    return "" if host else "the URL names no host"


def _host(url: str) -> str:
    """Host and port, without what may be a password."""
    return urlsplit(url).netloc.rpartition("@")[2]
