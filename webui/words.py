"""Facts of the station, in plain words.

Store and live view keep facts as stable words; here they become sentences, in the language of whoever reads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from django.utils import translation
from django.utils.formats import localize
from django.utils.translation import gettext_lazy as _

from station.domain.reason import Why
from station.live.payloads import EvseLive
from webui import installer_words, reason_words
from webui.reason_words import FAULTS, MESSAGES, fault, message


class Activity(NamedTuple):
    """What an EVSE does: a short label, the tone that colours it, a sentence."""

    label: Any
    tone: str
    sentence: Any


_ACTIVITIES: Mapping[str, Activity] = {
    "free": Activity(_("Free"), "idle", _("No car is connected. Plug in to begin.")),
    "waiting_for_card": Activity(
        _("Waiting for a card"),
        "wait",
        _("A car is connected. Hold a card to the reader, or start from here."),
    ),
    "waiting_for_plug": Activity(
        _("Waiting for the cable"), "wait", _("The card is accepted. Plug the cable into the car now.")
    ),
    "authorizing": Activity(_("Checking the card"), "wait", _("The card is being checked.")),
    "preparing": Activity(_("Getting ready"), "wait", _("All is allowed; the car has yet to ask for energy.")),
    "charging": Activity(_("Charging"), "flow", _("Energy is flowing into the car.")),
    "suspended_ev": Activity(
        _("Paused by the car"),
        "pause",
        _("The car takes no energy: it is full, or waits for its own timer."),
    ),
    "suspended_evse": Activity(_("Paused by the station"), "pause", _("The station holds charging back for now.")),
    "finishing": Activity(_("Finished"), "done", _("The session is over. The car can be unplugged.")),
    "unavailable": Activity(_("Out of service"), "off", _("This EVSE has been taken out of service.")),
    "faulted": Activity(_("Fault"), "fault", _("Charging is not possible until the fault is gone.")),
    "no_board": Activity(
        _("No contact"),
        "off",
        _("The board does not answer, so nothing is known about this EVSE."),
    ),
}

_WARNINGS: Mapping[str, Any] = {
    "TemperatureHigh": _("The station is warm and charges more slowly."),
    "MeterSilent": _("The meter gives no fresh reading."),
    "Meter:meter_failed": _("The meter reports a fault of its own; its readings are not used."),
    "Meter:meter_stale": _("The meter gives no fresh reading."),
}
_METER_DOUBTED = _("The meter's reading is implausible and is not used.")

_REASONS: Mapping[str, Any] = {
    "DeAuthorized": _("The operator's system refused the card"),
    "EmergencyStop": _("The emergency stop was pressed"),
    "EnergyLimitReached": _("The agreed energy was reached"),
    "EVDisconnected": _("The car was unplugged"),
    "GroundFault": _("Current leaked to earth"),
    "ImmediateReset": _("The station was restarted at once"),
    "Local": _("Stopped at the station"),
    "LocalOutOfCredit": _("The credit was used up"),
    "MasterPass": _("Stopped with a master card"),
    "Other": _("Stopped for another reason"),
    "OvercurrentFault": _("The car drew too much current"),
    "PowerLoss": _("The supply was lost"),
    "PowerQuality": _("The supply was too poor"),
    "Reboot": _("The station was restarted"),
    "Remote": _("Stopped by the operator"),
    "SOCLimitReached": _("The agreed state of charge was reached"),
    "StoppedByEV": _("The car was full or ended charging"),
    "TimeLimitReached": _("The agreed time was over"),
    "Timeout": _("No car was plugged in in time"),
}

_AUTHORIZED_BY: Mapping[str, Any] = {
    "csms": _("The operator's system accepted the card."),
    "cache": _("Accepted by the station itself, from what the operator's system had said before."),
    "offline": _("Accepted by the station itself, while the operator's system could not be reached."),
    "remote": _("Started by the operator's system."),
    "operator": _("Started from this web interface."),
    "none_needed": _("No card was needed."),
}

_TOKEN_TYPES: Mapping[str, Any] = {
    "ISO14443": _("Card"),
    "ISO15693": _("Card"),
    "Central": _("Operator"),
    "KeyCode": _("Key code"),
    "Local": _("Local"),
    "MacAddress": _("Vehicle"),
    "eMAID": _("Contract"),
}

_REGISTRATIONS: Mapping[str, Any] = {
    "Accepted": _("Operator connected"),
    "Pending": _("Operator connected, has yet to accept this station"),
    "Rejected": _("The operator refuses this station"),
}


def activity(word: str) -> Activity:
    """What goes on, for a word of ``EvseLive.activity``; an unknown word is shown as it is."""
    return _ACTIVITIES.get(word) or Activity(word.replace("_", " ").capitalize(), "idle", "")


def faults(evse: EvseLive) -> list[str]:
    """A sentence for each fault of an EVSE."""
    return [fault(word) for word in evse.faults]


def warnings(evse: EvseLive) -> list[str]:
    """A sentence for each warning of an EVSE."""
    return [str(_WARNINGS.get(word) or _doubt(word)) for word in evse.warnings]


def _doubt(word: str) -> Any:
    return _METER_DOUBTED if word.startswith("Meter:") else _("Note: %(word)s") % {"word": word}


class Said(NamedTuple):
    """What an EVSE's card says to the driver. ``language`` is empty where it is the reader's own."""

    language: str
    activity: Activity
    advice: str
    faults: list[str]
    warnings: list[str]
    message: str


def to_driver(evse: EvseLive) -> Said:
    """In the first of the driver's languages that there is (C01.FR.08, C01.FR.09), else in English (C01.FR.13).

    Where nobody has told a language, it is the reader's own.
    """
    language = (spoken(evse.languages) or "en") if evse.languages else ""
    with translation.override(language or translation.get_language()):
        told = reason_words.tell(evse.reason)
        if told is None:
            doing = activity(evse.activity)
            told = reason_words.Told(str(doing.label), doing.tone, str(doing.sentence), "")
        # What the reason says is not said twice.
        wrong = [] if evse.reason.why == Why.FAULT else faults(evse)
        refused = "" if evse.reason.why in (Why.REFUSED, Why.DEAUTHORIZED) else message(evse.message)
        doing = Activity(told.label, told.tone, told.sentence)
        return Said(language, doing, told.advice, wrong, warnings(evse), refused)


def spoken(languages: Sequence[str]) -> str:
    """The first of ``languages`` (RFC 5646 tags, best first) in which there are words here; empty where none is."""
    for language in languages:
        with suppress(LookupError):
            return translation.get_supported_language_variant(language.lower())
    return ""


def reason(word: str) -> str:
    """Why a session ended, for a ReasonEnumType; unknown ones are shown as they are."""
    return str(_REASONS.get(word, word))


def reasons() -> list[tuple[str, Any]]:
    """All reasons with their words, for a filter."""
    return sorted(_REASONS.items(), key=lambda item: str(item[1]))


def authorized_by(word: str) -> str:
    """How a session was authorised."""
    if not word:
        return _("Not authorised.")
    return str(_AUTHORIZED_BY[word]) if word in _AUTHORIZED_BY else word


def registration(connected: bool, status: str | None) -> str:
    """The link to the CSMS."""
    if not connected:
        return _("No connection to the operator")
    if status is None:
        return _("Operator connected, has yet to answer")
    return str(_REGISTRATIONS[status]) if status in _REGISTRATIONS else status


_WEB = "WEB-"  # how the station names a person who starts charging from here


def masked(token: str | None, kind: str | None) -> str:
    """Who charges, without giving the whole identifier away: its kind and last four characters at most."""
    if kind == "NoAuthorization":
        return _("Without a card")
    if not token:
        return ""
    if kind == "Local" and token.startswith(_WEB):
        return _("Web · %(name)s") % {"name": token.removeprefix(_WEB)}
    label = str(_TOKEN_TYPES[kind]) if kind in _TOKEN_TYPES else _("Card")
    return f"{label} •• {tail(token, kind)}".rstrip()


def tail(token: str, kind: str | None) -> str:
    """What may be shown of an identifier: its last characters, and of a key code nothing."""
    return "" if kind == "KeyCode" or len(token) < 2 else token[-min(4, len(token) // 2) :]


Sentence = Callable[[Mapping[str, Any]], Any]


_OVER: Mapping[str, Any] = {
    "Used": _("The driver for whom this was reserved has come."),
    "Expired": _("Nobody came in time; the reservation is over."),
    "Removed": _("The reservation was dropped, because the EVSE cannot be used."),
    "Cancelled": _("The operator's system cancelled the reservation."),
}


def _who(data: Mapping[str, Any]) -> str:
    return masked(str(data.get("id_token") or ""), str(data.get("type") or "")) or str(_("A card"))


def _fault_words(data: Mapping[str, Any]) -> str:
    found = data.get("faults")
    listed = [str(word) for word in found] if isinstance(found, list) else []
    if not listed:
        return str(_("There was a fault."))
    return " ".join(str(FAULTS.get(word) or _("Fault: %(word)s.") % {"word": word}) for word in listed)


def _detail(data: Mapping[str, Any]) -> str:
    told = str(data.get("detail") or "")
    return f"{told[:1].upper()}{told[1:]}." if told else ""


def _limited(data: Mapping[str, Any]) -> str:
    who, current = data.get("who") or "?", data.get("current")
    if not isinstance(current, int | float):
        return str(_("%(who)s lifted the limit of the current.") % {"who": who})
    if current == 0:
        return str(_("%(who)s paused charging.") % {"who": who})
    return str(_("%(who)s limited the current to %(current)s A.") % {"who": who, "current": localize(current)})


_EVENTS: Mapping[str, Sentence] = {
    **installer_words.EVENTS,
    "plugged_in": lambda data: _("The car was plugged in."),
    "unplugged": lambda data: _("The car was unplugged."),
    "card_read": lambda data: _("%(who)s was held to the reader.") % {"who": _who(data)},
    "authorized": lambda data: _("%(who)s was accepted.") % {"who": _who(data)},
    "remote_start": lambda data: _("The operator's system started charging for %(who)s.") % {"who": _who(data)},
    "refused": lambda data: (
        _("%(who)s was refused. %(why)s") % {"who": _who(data), "why": message(str(data.get("why") or ""))}
    ),
    "deauthorized": lambda data: (
        _("The operator's system withdrew its permission. %(why)s") % {"why": message(str(data.get("status") or ""))}
    ),
    "master_pass": lambda data: _("A master card was shown."),
    "card_blocked": lambda data: (
        _("%(person)s blocked a card at this station: %(who)s.")
        % {"person": data.get("who") or _("Somebody"), "who": _who(data)}
    ),
    "card_unblocked": lambda data: (
        _("%(person)s lets a card charge at this station again: %(who)s.")
        % {"person": data.get("who") or _("Somebody"), "who": _who(data)}
    ),
    "card_taught": lambda data: _("A card was read for somebody at the web page, and started nothing."),
    "authorization_ended": lambda data: _("The permission to charge ended."),
    "transaction_started": lambda data: _("The session began."),
    "transaction_ended": lambda data: (
        _("The session ended. %(why)s.") % {"why": reason(str(data.get("reason") or "Other"))}
    ),
    "resumed": lambda data: _("The session went on after a restart of the station."),
    "fault": _fault_words,
    "fault_cleared": lambda data: _("The fault is gone."),
    "link_up": lambda data: _("The connection to the operator's system came up."),
    "link_down": lambda data: _("The connection to the operator's system was lost; charging goes on."),
    "queue_full": lambda data: (
        _("Too much waits for the operator's system; %(count)s messages that can best be spared were dropped.")
        % {"count": data.get("dropped", 0)}
    ),
    "message_given_up": lambda data: (
        _("A message was given up, for the operator's system did not take it: %(action)s. %(why)s")
        % {"action": data.get("action") or "?", "why": data.get("why") or ""}
    ),
    "registration": lambda data: _REGISTERED.get(str(data.get("status"))) or str(data.get("status")),
    "availability": lambda data: _("Put into service.") if data.get("operative") else _("Taken out of service."),
    "limit": lambda data: _limited(data),
    "limit_timed": lambda data: _("%(who)s limits the current for a while.") % {"who": data.get("who") or "API"},
    "limit_lapsed": lambda data: _("The limit for a while has ended."),
    "unlocked": lambda data: _("The connector was unlocked."),
    "unlock_failed": lambda data: _("The connector could not be unlocked."),
    "lock_failed": lambda data: _("The lock does not hold the cable, so there is no power."),
    "time_offset": lambda data: _("The offset of local time is %(offset)s now.") % {"offset": data.get("offset", "")},
    "door_opened": lambda data: _("The housing was opened."),
    "door_closed": lambda data: _("The housing was closed."),
    "log_requested": lambda data: (
        _("The operator's system asked for a log, to be sent to %(host)s.") % {"host": data.get("host") or "?"}
    ),
    "log_ordered": lambda data: (
        _("%(who)s had a log sent to %(host)s.") % {"who": data.get("who") or "?", "host": data.get("host") or "?"}
    ),
    "log_upload_retried": lambda data: (
        _("A log could not be sent and will be tried again. %(why)s") % {"why": _detail(data)}
    ),
    "log_uploaded": lambda data: _("The log was sent."),
    "log_upload_failed": lambda data: _("The log could not be sent. %(why)s") % {"why": _detail(data)},
    "log_canceled": lambda data: _("Sending the log was canceled for a newer request."),
    "customer_named": lambda data: _("A customer number was given to a card."),
    "customer_cleared": lambda data: _("The operator's system had a customer's data erased."),
    "started": lambda data: _("The station started."),
    "reset": lambda data: _("The station was told to restart."),
    "evse_reset": lambda data: _("The charging point was reset."),
    "reserved": lambda data: _("Reserved by the operator for %(who)s.") % {"who": _who(data)},
    "reservation_over": lambda data: _OVER.get(str(data.get("how"))) or _("A reservation ended."),
    "reset_failed": lambda data: _("The restart did not succeed."),
    "connection_failed": lambda data: (
        _("There was no connection to the operator's system by network slot %(slot)s. %(why)s")
        % {"slot": data.get("slot", "?"), "why": _detail(data)}
    ),
    "password_taken_back": lambda data: _(
        "The operator's system refused the new password; the one before is in use again."
    ),
    "network_profile": lambda data: (
        _("The operator's system set network slot %(slot)s to %(csms_url)s.") % {"csms_url": "", "slot": "", **data}
    ),
    "network_profiles_removed": lambda data: (
        _("Network slots with less security were removed: %(slots)s.")
        % {"slots": ", ".join(str(slot) for slot in data.get("slots") or ())}
    ),
}

_REGISTERED: Mapping[str, Any] = {
    "Accepted": _("The operator's system accepted the station."),
    "Pending": _("The operator's system keeps the station waiting."),
    "Rejected": _("The operator's system refused the station."),
}


def event(kind: str, data: Mapping[str, Any]) -> str:
    """A journal entry as a sentence; of an unknown kind, its own word."""
    make = _EVENTS.get(kind)
    return str(make(data)).strip() if make else kind.replace("_", " ").capitalize() + "."


def outcome(action: str, accepted: bool, said: str) -> str:
    """What became of a command: the station's own sentence, or words for its word."""
    if accepted and action == "start" and said == "Stopped.":
        action = "stop"  # the same code once more ends the session (C01.FR.03)
    if accepted and action == "limit" and said == "Lifted.":
        action = "lift_limit"
    if accepted and action in _DONE:
        return str(_DONE[action])
    if said in _REFUSED:
        return str(_REFUSED[said])
    if said in MESSAGES or (said and " " not in said):
        return message(said)
    return said or str(_("Done.") if accepted else _("The station refused."))


_REFUSED: Mapping[str, Any] = {
    "too_many_blocked": _("There is no more room for blocked cards. Unblock one first."),
}

_DONE: Mapping[str, Any] = {
    "block_card": _("The card is blocked at this station."),
    "unblock_card": _("The card is no longer blocked at this station."),
    "begin_maintenance": _("The EVSE is in maintenance. That ends by itself when nothing is done for five minutes."),
    "end_maintenance": _("The maintenance is over."),
    "manual_setpoint": _("The board is told."),
    "self_test": _("The self-test begins."),
    "set_installation": _("Kept."),
    "restart": _("The station restarts."),
    "start": _("Charging is allowed. Energy flows as soon as the car asks for it."),
    "stop": _("Charging ends."),
    "unlock": _("The connector is unlocked."),
    "limit": _("The limit holds from now on."),
    "lift_limit": _("There is no limit of the owner's any more."),
    "master_pass": _("The sessions end."),
    "name_customer": _("Noted."),
    "clear_security_log": _("The security log was cleared."),
    "diagnose_connection": _("The doctor is on the way."),
}
