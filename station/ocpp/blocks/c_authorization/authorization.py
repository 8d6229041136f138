"""Who may charge: by card, by key code, by the start button, by the CSMS's request or on the web page (C01 to C16)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from station.device_model.components import AuthCacheCtrlr, AuthCtrlr, TxCtrlr
from station.domain.authorization import NO_AUTHORIZATION, Authorization, AuthorizedBy, TokenInfo
from station.domain.board import BoardSnapshot
from station.domain.effects import FinishCommand
from station.domain.events import OperatorCommand, Started, Tick
from station.domain.evse import EV_CONNECTED
from station.domain.moment import Moment
from station.domain.signals import AuthorizationEnded, Authorized, AuthorizeRemotely, CustomerErased
from station.domain.transaction import IdToken
from station.ocpp.block import Block, Payload
from station.ocpp.blocks.c_authorization.asking import Asking, KeyCodeGuard, Refusal
from station.ocpp.blocks.c_authorization.blocked_cards import BlockedCards
from station.ocpp.blocks.c_authorization.cards import new_reads
from station.ocpp.blocks.c_authorization.master_pass import MasterPass
from station.ocpp.blocks.c_authorization.places import Places
from station.ocpp.blocks.c_authorization.teaching import Teaching
from station.ocpp.context import Context

REMOTE_START = "RemoteStart"
NEVER_ASKED = ("Central", "NoAuthorization")  # C03.FR.01, C05.FR.01, C02
_NO_IDENTIFIER = re.compile(r"[^A-Za-z0-9*_=:+|@.-]+")  # part 2, 3.3 (identifierString)
UNKNOWN = TokenInfo("")  # nothing is known of the token, and nothing has to be


class AuthorizationBlock(Block):
    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._places = Places(context)
        self._key_codes = KeyCodeGuard()
        self._asking: list[Asking] = []
        self._blocked = BlockedCards(context)
        self._teaching = Teaching(context)
        self.master_pass = MasterPass(context)
        self.refusal: Refusal | None = None
        self.actions = {"ClearCache": self.clear_cache}

    def asking(self, evse_id: int) -> bool:
        """An Authorize is under way that may be for this EVSE."""
        return any(one.evse_id in (None, evse_id) for one in self._asking)

    def on(self, event: object, now: Moment) -> None:
        match event:
            case BoardSnapshot():
                for read in new_reads(self._context, event, now):
                    if self._teaching.take(read, now):
                        continue
                    evse_id = read.evse_id if read.evse_id in self._context.evses else None
                    self.present(IdToken(read.uid, read.type), evse_id, now)
                self._authorize_unasked(now)
            case Authorized():
                if self.refusal and self.refusal.evse_id in (None, event.evse_id):
                    self.refusal = None  # what was refused before concerns nobody any more
            case AuthorizeRemotely():
                self._decide(Asking(event.id_token, event.evse_id, REMOTE_START, event.remote_start_id), now)
            case OperatorCommand(action="start"):
                self._operator_start(event, now)
            case OperatorCommand(action="master_pass"):
                self.master_pass.chosen(event, now)
            case OperatorCommand(action="block_card" | "unblock_card"):
                self._blocked.command(event, now)
            case OperatorCommand(action="teach_card"):
                self._teaching.begin(event, now)
            case OperatorCommand(action="stop_teaching"):
                self._teaching.stop(event)
            case CustomerErased():
                self._context.token_cache.forget(event.id_token)  # N10.FR.03
                self._blocked.forget(event.id_token)
            case Started():
                self._teaching.forget()
            case Tick():
                self.master_pass.expire(now)
                self._teaching.expire(now)

    def deadline(self) -> float | None:
        waits = (self.master_pass.deadline(), self._teaching.deadline())
        return min((at for at in waits if at is not None), default=None)

    def clear_cache(self, request: Payload, now: Moment) -> dict[str, object]:
        """Answer ClearCacheRequest (C11)."""
        if not self._context.token_cache.enabled:
            return {"status": "Rejected"}  # C11.FR.04
        self._context.token_cache.clear()  # C11.FR.01; a database that refuses ends the process (rule 3)
        return {"status": "Accepted"}  # C11.FR.03

    # ------------------------------------------------------------------ presented

    def present(self, id_token: IdToken, evse_id: int | None, now: Moment, *, command_id: int | None = None) -> None:
        """A driver presents a token, at the station's reader (``evse_id`` None), at one EVSE's, or on the web page."""
        kind = id_token.type
        if kind != "NoAuthorization":
            self._context.journal(now, "card_read", evse_id=evse_id, id_token=id_token.loggable, type=kind)
        asking = Asking(id_token, evse_id, command_id=command_id)
        if kind not in self._context.model[AuthCtrlr.SupportedIdTokenTypes]:
            self._refused(asking, "unsupported_type", now)
            return
        if self._key_codes.waiting(id_token, now):  # C04.FR.06
            self._refused(asking, "too_many_tries", now)
            return
        running = self._places.opened_by(id_token, evse_id)
        if running is not None:  # C01.FR.03 (a), C09.FR.07 (a), E07.FR.01 (a): no Authorize first
            self._stop(asking, running.evse_id)
            return
        if self._places.gives_back(id_token, evse_id):  # E09.FR.03: the driver came for the cable
            self._finish(asking, "Accepted", "unlocked")
            return
        if self._blocked.holds(id_token):  # before the CSMS, the cache or the offline rules have a say
            self._refused(asking, "blocked_here", now)
            return
        if any(other.id_token.matches(id_token) for other in self._asking):
            self._finish(asking, "Rejected", "checking")
            return  # held to the reader twice; the answer is on its way
        target, refused = self._places.find(id_token, evse_id)
        if not refused:
            self._decide(replace(asking, evse_id=target), now)
        elif refused == "reserved" and any(one.group_id_token for one in self._context.reservations.entries.values()):
            self._decide(asking, now)  # H03.FR.07, H03.FR.08: the group of the token has to be known
        elif refused != "restarting" and self._places.taken(evse_id):
            self._decide(replace(asking, taken=refused), now)
        else:
            self._refused(asking, refused, now)

    def _operator_start(self, command: OperatorCommand, now: Moment) -> None:
        """Somebody at the web page: with a token of theirs (C04), with the start button (C02), or in their own name."""
        evse_id, text = command.arguments.get("evse_id"), command.arguments.get("id_token")
        if not isinstance(evse_id, int) or evse_id not in self._context.evses:
            self._context.emit(FinishCommand(command.command_id, "Rejected", f"There is no EVSE {evse_id}."))
            return
        supported = self._context.model[AuthCtrlr.SupportedIdTokenTypes]
        button = "NoAuthorization" in supported
        id_token = NO_AUTHORIZATION if button else IdToken(_own_name(command.who), "Local")
        if text is not None:
            id_token = IdToken(str(text), str(command.arguments.get("type") or "Local"))
            if not 0 < len(id_token.id_token) <= 36:
                self._context.emit(FinishCommand(command.command_id, "Rejected", "bad_token"))
                return
            self.present(id_token, evse_id, now, command_id=command.command_id)
            return
        asking = Asking(id_token, evse_id, command_id=command.command_id)
        refused = self._places.find(id_token, evse_id)[1] if id_token.type in supported else "unsupported_type"
        if refused:
            self._refused(asking, refused, now)
        else:
            self._decide(asking, now)

    # ------------------------------------------------------------------ deciding

    def _decide(self, asking: Asking, now: Moment) -> None:
        """On whose word: nobody's, the authorization cache's, or the CSMS's."""
        model, outbox = self._context.model, self._context.outbox
        if not self._context.may_charge() and not asking.taken:
            self._refused(asking, "not_registered", now)
            return
        if self._needs_none(asking):
            by = AuthorizedBy.REMOTE if asking.trigger == REMOTE_START else AuthorizedBy.NONE_NEEDED
            if asking.taken:
                self._refused(asking, asking.taken, now)
            else:
                self._grant(asking, by, UNKNOWN, now)
            return
        known = self._context.token_cache.find(asking.id_token, now)
        if known and known.accepted and self._ends_what_runs(asking, known, now):  # C01.FR.03 (b), C09.FR.07, C16.FR.04
            return
        remote = not model[AuthCtrlr.DisableRemoteAuthorization]
        if not outbox.online:
            self._decide_offline(asking, known, now)
        elif outbox.registration != "Accepted":
            if model[TxCtrlr.TxBeforeAcceptedEnabled]:  # B02.FR.03, B03.FR.01
                self._decide_offline(asking, known, now)
            else:
                self._refused(asking, "not_registered", now)
        elif known and known.accepted and not asking.taken and (model[AuthCtrlr.LocalPreAuthorize] or not remote):
            self._context.token_cache.used(asking.id_token, now)
            self._grant(asking, AuthorizedBy.CACHE, known, now)  # C12.FR.02
        elif known and not known.accepted and (model[AuthCacheCtrlr.DisablePostAuthorize] or not remote):
            self._refused(asking, known.status, now, known)
        elif remote:
            self._ask(asking)  # C01.FR.02, C06.FR.02, C10.FR.03, C12.FR.05
        else:
            self._refused(asking, asking.taken or "not_known_here", now)

    def _needs_none(self, asking: Asking) -> bool:
        """C02; AuthCtrlr.Enabled false: what is read is only passed on; C03.FR.01, C05.FR.01."""
        kind = asking.id_token.type
        if asking.trigger == REMOTE_START:
            return kind in NEVER_ASKED
        return kind == "NoAuthorization" or not self._context.model[AuthCtrlr.Enabled]

    def _decide_offline(self, asking: Asking, known: TokenInfo | None, now: Moment) -> None:
        model = self._context.model
        if asking.taken:
            self._refused(asking, "offline", now)
        elif model[AuthCtrlr.OfflineTxForEveryIdEnabled] and not (known and self.master_pass.is_one(known)):
            self._grant(asking, AuthorizedBy.OFFLINE, known or UNKNOWN, now)
        elif known is None:
            if model[AuthCtrlr.OfflineTxForUnknownIdEnabled]:
                self._grant(asking, AuthorizedBy.OFFLINE, UNKNOWN, now)  # C15.FR.08, and never kept: C15.FR.01
            else:
                self._refused(asking, "offline", now)
        elif not known.accepted:
            self._refused(asking, known.status, now, known)
        elif model[AuthCtrlr.LocalAuthorizeOffline]:
            self._context.token_cache.used(asking.id_token, now)
            self._grant(asking, AuthorizedBy.CACHE, known, now)
        else:
            self._refused(asking, "offline", now)

    def _ask(self, asking: Asking) -> None:
        self._asking.append(asking)
        self._context.call(
            "Authorize",
            {"idToken": {"idToken": asking.id_token.id_token, "type": asking.id_token.type}},
            answered=lambda response, at: self._answered(asking, response, at),
            failed=lambda code, at: self._failed(asking, code, at),
        )

    def _answered(self, asking: Asking, response: Mapping[str, Any], now: Moment) -> None:
        self._asking.remove(asking)
        info = TokenInfo.read(response["idTokenInfo"])
        self._context.token_cache.update(asking.id_token, info, now)  # C10.FR.04
        self._key_codes.judged(asking.id_token, info.status, now)
        if not info.accepted:  # C09.FR.11, too
            self._refused(asking, info.status, now, info)
        elif not self._ends_what_runs(asking, info, now):
            if asking.taken:
                self._refused(asking, asking.taken, now, info)
            else:
                self._grant(asking, AuthorizedBy.CSMS, info, now)

    def _failed(self, asking: Asking, code: str, now: Moment) -> None:
        self._asking.remove(asking)
        if code == "LinkDown":
            self._decide_offline(asking, self._context.token_cache.find(asking.id_token, now), now)
        else:
            self._refused(asking, "no_answer", now)

    # ------------------------------------------------------------------ stopping

    def _ends_what_runs(self, asking: Asking, info: TokenInfo, now: Moment) -> bool:
        """An accepted token that is meant to end something: a master pass, or one of the group; True where it is."""
        if self.master_pass.is_one(info):
            # C16.FR.03, C12.FR.09: it never starts anything
            if asking.trigger != REMOTE_START and self.master_pass.presented(asking.id_token, now):
                self._finish(asking, "Accepted", "Stopped.")
            else:
                self._refused(asking, "master_pass", now, info)
            return True
        if asking.trigger == REMOTE_START:
            return False
        seat = None
        if asking.taken:
            seat = self._places.of_group(info.group_id_token, asking.evse_id)  # E07.FR.01 (b)
        elif asking.evse_id is None:
            # C09.FR.03: with no cable waiting, a card of the same group means the session that runs
            seat = self._places.of_group(info.group_id_token, None, running=True)
        if seat is None:
            return False
        self._stop(asking, seat.evse_id)
        return True

    def _stop(self, asking: Asking, evse_id: int | None) -> None:
        self._context.raise_signal(AuthorizationEnded(evse_id, "StopAuthorized", "Local", asking.id_token))
        self._finish(asking, "Accepted", "Stopped.")

    # ------------------------------------------------------------------ granting and refusing

    def _grant(self, asking: Asking, by: AuthorizedBy, info: TokenInfo, now: Moment) -> None:
        # the world may have changed while the CSMS was asked: find the place anew
        id_token = asking.id_token
        evse_id, refused = self._places.find(id_token, asking.evse_id, info.group_id_token)
        if asking.trigger != REMOTE_START and self._blocked.holds(id_token):
            refused = "blocked_here"  # while the CSMS was being asked
        if not refused and info.evse_ids and evse_id is not None and evse_id not in info.evse_ids:
            refused = "NotAllowedTypeEVSE"  # C01.FR.21
        if refused:
            self._refused(asking, refused, now, info)
            return
        used = self._context.reservations.used(evse_id, id_token, info.group_id_token)
        authorization = Authorization(
            id_token,
            by,
            info.group_id_token,
            remote_start_id=asking.remote_start_id,
            reservation_id=used.id if used else None,
            evse_ids=info.evse_ids,
            languages=info.languages,
            personal_message=info.personal_message,
        )
        self._context.journal(
            now, "authorized", evse_id=evse_id, id_token=id_token.loggable, type=id_token.type, by=str(by)
        )
        self._context.raise_signal(Authorized(evse_id, authorization, asking.trigger))
        self._finish(asking, "Accepted", "Authorized.")

    def _refused(self, asking: Asking, why: str, now: Moment, info: TokenInfo = UNKNOWN) -> None:
        id_token = asking.id_token
        self.refusal = Refusal(now.monotonic, asking.evse_id, why, info.languages, info.personal_message)
        self._context.journal(
            now, "refused", evse_id=asking.evse_id, id_token=id_token.loggable, type=id_token.type, why=why
        )
        self._finish(asking, "Rejected", why)

    def _finish(self, asking: Asking, status: str, message: str) -> None:
        if asking.command_id is not None:
            self._context.emit(FinishCommand(asking.command_id, status, message))

    # ------------------------------------------------------------------ without a card

    def _authorize_unasked(self, now: Moment) -> None:
        if self._context.model[AuthCtrlr.Enabled] or self._context.restarting:
            return
        if not self._context.may_charge():
            return
        for evse in self._context.evses.values():  # C01.FR.01: nobody has to be asked
            stopped = EV_CONNECTED in evse.spent
            if evse.transaction:
                stopped = evse.transaction.extra.get("authorized") is False
            if evse.plugged and not stopped and not self._places.closed(evse, NO_AUTHORIZATION):
                granted = Authorization(NO_AUTHORIZATION, AuthorizedBy.NONE_NEEDED)
                self._context.raise_signal(Authorized(evse.id, granted))


def _own_name(who: str) -> str:
    """An idToken for somebody at the web page or the API; what no identifierString may hold becomes a dot."""
    return f"WEB-{_NO_IDENTIFIER.sub('.', who).strip('.')}"[:36]
