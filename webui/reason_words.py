"""Why an EVSE does what it does, in words: a label, what is so, and what would change it.

The reasons are ``station.domain.reason.Why``; each has a function here, and a test finds those that have not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from station.domain.availability import OutBy
from station.domain.moment import parse_rfc3339
from station.domain.reason import LimitedBy, Offline, Why
from station.live.payloads import ReasonLive


class Told(NamedTuple):
    """A short label, the tone that colours it, what is so (``sentence``), and what would change it (``advice``)."""

    label: Any
    tone: str
    sentence: Any
    advice: Any


_Words = Callable[[ReasonLive], Told]

# What a fault means to the person in front of the station, and what to do about it.
FAULTS: Mapping[str, Any] = {
    "GroundFailure": _("Current is leaking to earth. Unplug the car; if the fault stays, call the installer."),
    "OverCurrent": _("The car drew more current than it was offered. Unplug it and try again."),
    "OverTemperature": _("The station is too hot. It goes on by itself when it has cooled down."),
    "ControlPilotFault": _("The signal line to the car is disturbed. Unplug, look for dirt, try again."),
    "ContactorWelded": _("The contactor does not open. Do not use this EVSE, and call the installer."),
    "PowerLoss": _("The board has no supply. Check the circuit breaker."),
    "BoardOffline": _("The board did not answer."),
}

# Why the last card or start did not lead to charging; the words of block C, and AuthorizationStatusEnumType.
MESSAGES: Mapping[str, Any] = {
    "Blocked": _("The card is blocked."),
    "ConcurrentTx": _("The card is already charging elsewhere."),
    "Expired": _("The card has expired."),
    "Invalid": _("The card is not known to the operator."),
    "Unknown": _("The card is not known to the operator."),
    "NoCredit": _("There is no credit left on the card."),
    "NotAllowedTypeEVSE": _("The card may not charge at this EVSE."),
    "NotAtThisLocation": _("The card may not charge here."),
    "NotAtThisTime": _("The card may not charge at this time."),
    "occupied": _("Somebody is charging here already."),
    "other_token": _("This session belongs to another card."),
    "ending": _("The last session is just ending. Try again in a moment."),
    "faulted": _("This is not possible while there is a fault."),
    "unavailable": _("This EVSE is out of service."),
    "reserved": _("This EVSE is reserved for somebody else."),
    "restarting": _("The station is about to restart. Try again when it is back."),
    "not_registered": _("The operator's system has not accepted this station yet."),
    "no_answer": _("The operator's system did not answer, so the card could not be checked."),
    "offline": _("The operator's system cannot be reached, and nobody may charge without it."),
    "not_known_here": _("The station does not know the card."),
    "unsupported_type": _("This station does not take cards or codes of this kind."),
    "too_many_tries": _("Too many wrong codes. Wait a while, then try again."),
    "checking": _("This is being checked already."),
    "bad_token": _("That is too short or too long."),
    "master_pass": _("A master card ends sessions; it cannot start one."),
    "no_master_pass": _("Hold the master card to the reader again."),
    "blocked_here": _("This card is blocked at this station by its owner."),
}

_ANOTHER_CARD = _("Hold another card to the reader, or ask the operator.")
_AGAIN = _("Hold the card to the reader again.")
_WAIT_FOR_LINK = _("Try again when the connection is back; a car that charges already goes on.")
# What helps somebody whose card was refused.
REMEDIES: Mapping[str, Any] = {
    "Blocked": _ANOTHER_CARD,
    "ConcurrentTx": _("End the other session, or hold another card to the reader."),
    "Expired": _ANOTHER_CARD,
    "Invalid": _("Hold another card to the reader, or have the operator register this one."),
    "Unknown": _("Hold another card to the reader, or have the operator register this one."),
    "NoCredit": _("Top the card up, or hold another one to the reader."),
    "NotAllowedTypeEVSE": _("Try the other EVSE, or another card."),
    "NotAtThisLocation": _ANOTHER_CARD,
    "NotAtThisTime": _("Come back at a time that the card is valid for, or hold another card to the reader."),
    "occupied": _("Wait until the other session has ended."),
    "other_token": _("Hold the card that began it to the reader."),
    "ending": _AGAIN,
    "faulted": _("It becomes possible again when the fault is gone."),
    "unavailable": _("It becomes possible again when the EVSE is back in service."),
    "reserved": _("Use another EVSE, or wait until the reservation is over."),
    "restarting": _AGAIN,
    "not_registered": _("The operator has to accept the station first; the installer can help."),
    "no_answer": _AGAIN,
    "offline": _WAIT_FOR_LINK,
    "not_known_here": _ANOTHER_CARD,
    "unsupported_type": _ANOTHER_CARD,
    "too_many_tries": _("It goes on by itself after a few minutes at most."),
    "checking": _("The answer comes within seconds."),
    "bad_token": _("Check what was entered."),
    "master_pass": _("Hold a card of your own to the reader."),
    "no_master_pass": _("Then choose which sessions are to end."),
    "blocked_here": _("The owner of the station can unblock it on the page of cards."),
}

UNPLUG_OR_CARD = _("Unplug the car, or hold a card to the reader for a new session.")


def _free(reason: ReasonLive) -> Told:
    return Told(_("Free"), "idle", _("No car is connected."), _("Plug in to begin."))


def _no_board(reason: ReasonLive) -> Told:
    sentence = _("The board does not answer, so nothing is known about this EVSE.")
    if reason.since:
        sentence = _("The board has not answered since %(since)s, so nothing is known about this EVSE.") % {
            "since": when(reason.since)
        }
    return Told(_("No contact"), "off", sentence, _("It comes back by itself; if it does not, call the installer."))


def _fault(reason: ReasonLive) -> Told:
    advice = " ".join(fault(word) for word in reason.faults)
    return Told(_("Fault"), "fault", _("Charging is not possible until the fault is gone."), advice)


def _ending(reason: ReasonLive) -> Told:
    return Told(_("Ending"), "done", _("The session is over."), _("The car can be unplugged in a moment."))


def _kept(reason: ReasonLive) -> Told:
    sentence = _("The cable in the socket belongs to the last driver.")
    return Told(_("Cable locked"), "wait", sentence, _("Hold the card of that session to the reader to get it back."))


def _lock_failed(reason: ReasonLive) -> Told:
    sentence = _("The lock does not hold the cable, so there is no power.")
    return Told(_("Lock open"), "fault", sentence, _("Push the plug in as far as it goes, or pull it and try again."))


def _suspended(reason: ReasonLive) -> Told:
    told = MESSAGES.get(reason.status) or _("The operator's system refused the card.")
    return Told(
        _("Paused by the operator"),
        "pause",
        told,
        _("The car gets no more energy; stop the session or use another card."),
    )


def _fell_back(reason: ReasonLive) -> Told:
    sentence = _("The board paused by itself, because the station had left it alone.")
    return Told(_("Paused by the board"), "pause", sentence, _("It goes on by itself within seconds."))


def _charging(reason: ReasonLive) -> Told:
    advice = _LIMITS.get(reason.limited_by) or _("It ends when the car is full, or when you stop it.")
    return Told(_("Charging"), "flow", _("Energy is flowing into the car."), advice)


_LIMITS: Mapping[str, Any] = {
    LimitedBy.TEMPERATURE: _("The station is warm and gives less until it has cooled down."),
    LimitedBy.CABLE: _("The cable carries less than the station could give; a thicker one charges faster."),
    LimitedBy.OWNER: _("It charges more slowly than it could, because a limit has been set for this EVSE."),
    LimitedBy.FALLBACK: _("The board gives its safe current until it hears from the station again."),
}


def _takes_little(reason: ReasonLive) -> Told:
    sentence = _("The car takes hardly any energy.")
    return Told(_("Connected"), "pause", sentence, _("It is full or busy with itself, and decides when it goes on."))


def _locking(reason: ReasonLive) -> Told:
    return Told(_("Getting ready"), "wait", _("The cable is being locked."), _("Energy follows when the lock is shut."))


def _paused(reason: ReasonLive) -> Told:
    sentence = _("A limit of 0 A has been set for this EVSE, by automation or by hand.")
    return Told(_("Paused by a limit"), "pause", sentence, _("It goes on by itself when the limit is lifted."))


def _too_little(reason: ReasonLive) -> Told:
    sentence = _("What this cable carries (%(limit)s A) is too little to charge with.") % {
        "limit": f"{reason.limit or 0:g}"
    }
    return Told(_("Paused by the station"), "pause", sentence, _("Use a thicker cable, or call the installer."))


def _car_pauses(reason: ReasonLive) -> Told:
    if reason.charged and reason.soc is not None and reason.soc >= FULL:
        sentence, advice = _("The car is full."), _("Unplug it when you like.")
    elif reason.charged:
        sentence = _("The car takes no more energy: it is full, or waits for its own timer.")
        advice = _("It goes on by itself when the car asks for energy.")
    else:
        sentence = _("The car does not ask for energy.")
        advice = _("Look for a timer or a charge limit in the car, and whether it is full.")
    return Told(_("Paused by the car"), "pause", sentence, advice)


FULL = 99.5  # per cent


def _car_prepares(reason: ReasonLive) -> Told:
    sentence = _("All is allowed; the car has yet to ask for energy.")
    return Told(_("Getting ready"), "wait", sentence, _("That takes most cars a few seconds."))


def _starting(reason: ReasonLive) -> Told:
    return Told(_("Getting ready"), "wait", _("Charging is allowed."), _("The station is switching on."))


def _waiting_for_cable(reason: ReasonLive) -> Told:
    advice = _("Plug the cable into the car now.")
    if reason.left is not None:
        advice = ngettext(
            "Plug the cable into the car now: %(left)s second is left.",
            "Plug the cable into the car now: %(left)s seconds are left.",
            reason.left,
        ) % {"left": reason.left}
    return Told(_("Waiting for the cable"), "wait", _("The card is accepted."), advice)


def _unavailable(reason: ReasonLive) -> Told:
    facts = {"since": when(reason.since), "who": reason.who or "?"}
    match reason.by:
        case OutBy.CSMS:
            sentence = _("Out of service since %(since)s: the operator has taken this EVSE out.") % facts
            advice = _("Only the operator can bring it back into service.")
        case OutBy.PERSON:
            sentence = _("Out of service since %(since)s: %(who)s has taken this EVSE out.") % facts
            advice = _("An installer can bring it back into service.")
        case OutBy.RESET:
            sentence = _("The station is about to restart.")
            advice = _("It comes back by itself within a minute after the last session has ended.")
        case OutBy.UPDATE:
            sentence = _("The station is installing new firmware.")
            advice = _("It comes back by itself within a few minutes.")
        case OutBy.MAINTENANCE:
            sentence = _("In maintenance since %(since)s: %(who)s is working at this EVSE.") % facts
            advice = _("It comes back when the work is done, or by itself when nothing is done for five minutes.")
        case _other:
            sentence = _("This EVSE has been taken out of service.")
            advice = _("The operator or an installer can bring it back into service.")
    return Told(_("Out of service"), "off", sentence, advice)


def _checking(reason: ReasonLive) -> Told:
    return Told(_("Checking the card"), "wait", _("The card is being checked."), _("The answer comes within seconds."))


def _refused(reason: ReasonLive) -> Told:
    return Told(_("Card refused"), "fault", message(reason.status), REMEDIES.get(reason.status) or _ANOTHER_CARD)


def _not_accepted(reason: ReasonLive) -> Told:
    match reason.status:
        case "Pending":
            sentence = _("The operator's system has not accepted this station yet.")
            advice = _("It asks again by itself; the operator has to accept the station.")
        case "Rejected":
            sentence = _("The operator's system refuses this station.")
            advice = _("The operator has to accept the station; the installer can check its identity.")
        case _other:
            sentence = _(
                "The operator's system has not answered yet, and nobody may charge before it accepts this station."
            )
            advice = _("The installer can check the connection.")
    return Told(_("Not ready"), "off", sentence, advice)


def _deauthorized(reason: ReasonLive) -> Told:
    return Told(
        _("Ended by the operator"), "fault", message(reason.status), REMEDIES.get(reason.status) or _ANOTHER_CARD
    )


def _reserved(reason: ReasonLive) -> Told:
    facts = {"who": reason.who, "until": when(reason.until) if reason.until else "?"}
    if reason.who:
        sentence = _("This EVSE is reserved for %(who)s until %(until)s.") % facts
        advice = _("Hold that card, or one of its group, to the reader; with another card, use another EVSE.")
    else:
        sentence = _("The free EVSEs are kept for drivers with a reservation, until %(until)s at least.") % facts
        advice = _("Hold a card with a reservation to the reader, or wait.")
    return Told(_("Reserved"), "wait", sentence, advice)


def _over(reason: ReasonLive) -> Told:
    return Told(_("Finished"), "done", _("The session is over."), UNPLUG_OR_CARD)


def _waiting_for_card(reason: ReasonLive) -> Told:
    match reason.offline:
        case Offline.NOBODY:
            sentence = _("The operator's system cannot be reached, and nobody may charge without it.")
            advice = _("It goes on when the connection is back.")
        case Offline.KNOWN:
            sentence = _("A car is connected, and the operator's system cannot be reached.")
            advice = _("Hold a card to the reader that has been used here before.")
        case Offline.ANYBODY:
            sentence = _("A car is connected, and the operator's system cannot be reached.")
            advice = _("Hold a card to the reader; charging is possible nevertheless.")
        case _other:
            sentence = _("A car is connected.")
            advice = _("Hold a card to the reader, or start from here.")
    return Told(_("Waiting for a card"), "wait", sentence, advice)


WORDS: Mapping[str, _Words] = {
    Why.NO_BOARD: _no_board,
    Why.FAULT: _fault,
    Why.ENDING: _ending,
    Why.KEPT: _kept,
    Why.LOCK_FAILED: _lock_failed,
    Why.SUSPENDED: _suspended,
    Why.FELL_BACK: _fell_back,
    Why.CHARGING: _charging,
    Why.TAKES_LITTLE: _takes_little,
    Why.LOCKING: _locking,
    Why.PAUSED: _paused,
    Why.TOO_LITTLE: _too_little,
    Why.CAR_PAUSES: _car_pauses,
    Why.CAR_PREPARES: _car_prepares,
    Why.STARTING: _starting,
    Why.WAITING_FOR_CABLE: _waiting_for_cable,
    Why.UNAVAILABLE: _unavailable,
    Why.CHECKING: _checking,
    Why.REFUSED: _refused,
    Why.NOT_ACCEPTED: _not_accepted,
    Why.DEAUTHORIZED: _deauthorized,
    Why.OVER: _over,
    Why.RESERVED: _reserved,
    Why.WAITING_FOR_CARD: _waiting_for_card,
    Why.FREE: _free,
}


def tell(reason: ReasonLive) -> Told | None:
    """The words, in the active language; None for a reason that is not known here."""
    make = WORDS.get(reason.why)
    if make is None:
        return None
    told = make(reason)
    return Told(str(told.label), told.tone, str(told.sentence), str(told.advice))


def fault(word: str) -> str:
    """What a fault means, and what to do."""
    return str(FAULTS.get(word) or _("Fault: %(word)s") % {"word": word})


def message(word: str) -> str:
    """Why a card or a start led to nothing; empty for no word, and an unknown word as it is."""
    if not word:
        return ""
    return str(MESSAGES[word]) if word in MESSAGES else word.replace("_", " ").capitalize()


def when(text: str) -> str:
    """A moment of the live view as a person says it: the time of today, else with the day; ``?`` where it is none."""
    try:
        at = timezone.localtime(parse_rfc3339(text))
    except (ValueError, OverflowError):
        return "?"
    return date_format(at, "H:i" if _is_today(at) else "j M Y, H:i")


def _is_today(at: datetime) -> bool:
    return at.date() == timezone.localdate()
