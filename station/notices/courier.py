"""Sends what is due, tries again what did not get through, and gives up after a day."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.utils import timezone

from station.notices.failed import Failed
from station.notices.models import Sending, Settings
from station.notices.words import Message
from station.store.models import Variable

log = logging.getLogger(__name__)

MINUTE = 60
# s until the next attempt, after each; then it is given up: after a day and a half, when it is no news any more
PAUSES = (MINUTE, 5 * MINUTE, 15 * MINUTE, 60 * MINUTE, 3 * 60 * MINUTE, 8 * 60 * MINUTE, 24 * 60 * MINUTE)
PER_HOUR = 12  # notices by each way; more of them wait
AT_ONCE = 10

Send = Callable[[Settings, Message], None]


def _mail(settings: Settings, message: Message) -> None:
    from station.notices import mail

    mail.send(settings, message)


def _hook(settings: Settings, message: Message) -> None:
    from station.notices import hook

    hook.send(settings, message)


WAYS: Mapping[str, Send] = {"mail": _mail, "hook": _hook}


def send_due(clock: Callable[[], datetime], stopped: Callable[[], bool] = lambda: False) -> int:
    """Send what is due; how many got through. Raises django.db.Error."""
    settings = Settings.current()
    sent = 0
    now = clock()
    full = [channel for channel in WAYS if _lately(channel, now).count() >= PER_HOUR]
    due = Sending.objects.filter(status=Sending.Status.WAITING, next_at__lte=now)
    due = due.exclude(~Q(what="test"), channel__in=full)
    for sending in list(due.order_by("id")[:AT_ONCE]):
        if stopped():
            break
        test = sending.what == "test"
        if not test and sending.channel not in settings.channels:
            _over(sending, Sending.Status.FAILED, clock(), "switched_off")
        elif test or _lately(sending.channel, now).count() < PER_HOUR:
            sent += _attempt(sending, settings, clock)
    return sent


def _lately(channel: str, now: datetime) -> QuerySet[Sending]:
    sent = Sending.objects.filter(channel=channel, status=Sending.Status.SENT).exclude(what="test")
    return sent.filter(finished_at__gt=now - timedelta(hours=1), finished_at__lte=now)


def _attempt(sending: Sending, settings: Settings, clock: Callable[[], datetime]) -> bool:
    sending.attempts += 1
    with timezone.override(zone()):
        message = Message(sending.what, sending.facts, name=name_of(settings), language=settings.language)
    try:
        WAYS[sending.channel](settings, message)
    except Failed as error:
        now = clock()
        log.warning("a notice by %s did not get through: %s", sending.channel, error.word)
        if sending.what == "test" or sending.attempts > len(PAUSES):
            _over(sending, Sending.Status.FAILED, now, error.word, error.detail)
        else:
            sending.fail(error.word, error.detail)
            sending.next_at = now + timedelta(seconds=PAUSES[sending.attempts - 1])
            sending.save()
        return False
    _over(sending, Sending.Status.SENT, clock())
    return True


def _over(sending: Sending, status: str, now: datetime, word: str = "", detail: str = "") -> None:
    sending.status, sending.finished_at = status, now
    sending.fail(word, detail)
    sending.save()


def name_of(settings: Settings) -> str:
    """How the station is called in a notice: as people have named it, or by its identity."""
    if settings.station_name:
        return settings.station_name
    return _variable("SecurityCtrlr", "Identity") or "?"


def zone() -> tzinfo:
    """The station's time zone (ClockCtrlr.TimeZone), for people; UTC where none is set or known."""
    try:
        return ZoneInfo(_variable("ClockCtrlr", "TimeZone") or "UTC")
    except (ValueError, OSError, KeyError):  # what zoneinfo raises for a name that is none; a folder is an OSError
        return UTC


def _variable(component: str, name: str) -> str:
    rows = Variable.objects.filter(component=component, variable=name, attribute="Actual")
    return rows.values_list("value", flat=True).first() or ""
