"""The reusable states of part 6, section 2.18, as steps that a case composes.

Each brings the station into a state, and checks on the way what the state's tool validations ask. They read
TxStartPoint and TxStopPoint from the rig's ``Session`` to know which TransactionEvents are due.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.conformance.kinds import supporting, token
from tests.conformance.rig import CARD, Payload, Rig

DURATION = 4.0  # <Configured Transaction Duration>: long enough for energy to flow, short enough for real time


@dataclass
class Session:
    """One charging session in the making: what was done, and what the station has said about it."""

    rig: Rig
    evse: int = 1
    token: str = CARD
    token_type: str = "ISO14443"
    remote: bool = False
    cached: bool = False  # the station knows the token as accepted: it asks nobody
    start_points: frozenset[str] = frozenset({"EVConnected", "Authorized"})
    stop_points: frozenset[str] = frozenset({"EVConnected", "Authorized"})
    connected: bool = False
    authorized: bool = False
    transaction_id: str = ""
    ended: bool = False
    events: list[Payload] = field(default_factory=list)
    remote_start_id: int = 42
    remote_extra: Payload = field(default_factory=dict)  # more fields of the RequestStartTransactionRequest

    # ------------------------------------------------------------------ events

    @property
    def started(self) -> bool:
        return bool(self.transaction_id)

    def event(self, *triggers: str, within: float = 20.0) -> Payload:
        """The transaction's next event with one of ``triggers``; the first one names the transaction."""

        def ours(event: Payload) -> bool:
            known = event["transactionInfo"]["transactionId"] == self.transaction_id
            return event["triggerReason"] in triggers and (known or not self.started)

        event = self.rig.expect("TransactionEvent", ours, within=within)
        if not self.started:
            assert event["eventType"] == "Started", event
            self.transaction_id = event["transactionInfo"]["transactionId"]
        self.ended = event["eventType"] == "Ended"
        self.events.append(event)
        return event

    @property
    def id_token(self) -> Payload:
        return {"idToken": self.token, "type": self.token_type}

    def _starts_at(self, *points: str) -> bool:
        return bool(self.start_points.intersection(points))

    def _stops_at(self, *points: str) -> bool:
        return bool(self.stop_points.intersection(points))

    # ------------------------------------------------------------------ states

    def parking_bay_occupied(self) -> None:
        """ParkingBayOccupied."""
        self.rig.bay(self.evse, occupied=True)
        self.rig.let(0.5)  # nobody gets out of the car faster than that
        if self._starts_at("ParkingBayOccupancy"):
            self.event("EVDetected")

    def ev_connected_pre_session(self, *, requests_energy: bool = True) -> None:
        """EVConnectedPreSession."""
        self.rig.plug(self.evse, requests_energy=requests_energy)
        self.connected = True
        self.connector_status("Occupied")
        first = not self.started
        due = self.started or self._starts_at("EVConnected") or (self.authorized and self._starts_at("PowerPathClosed"))
        if due:
            event = self.event("CablePluggedIn", "ChargingStateChanged", "RemoteStart")
            assert event["eventType"] == ("Started" if first else "Updated"), event
            assert event["transactionInfo"]["chargingState"] in ("EVConnected", "SuspendedEVSE", "Charging"), event
            assert event["evse"] == {"id": self.evse, "connectorId": 1}, event

    def authorize(self) -> None:
        """Authorized, local or remote."""
        if self.remote:
            self._authorize_remotely()
        else:
            self.rig.present(self.token, self.token_type, self.evse)
            self._asked()
        self.authorized = True
        due = self.started or self._starts_at("Authorized") or (self.connected and self._starts_at("PowerPathClosed"))
        if due:
            event = self.event("RemoteStart" if self.remote else "Authorized")
            assert event["idToken"]["idToken"].casefold() == self.token.casefold(), event
            assert event["idToken"]["type"] == self.token_type, event
            if self.remote:
                assert event["transactionInfo"]["remoteStartId"] == self.remote_start_id, event

    def _authorize_remotely(self) -> None:
        response = self.rig.call(
            "RequestStartTransaction",
            {"idToken": self.id_token, "remoteStartId": self.remote_start_id, "evseId": self.evse, **self.remote_extra},
        )
        assert response["status"] == "Accepted", response
        if self.started:
            assert response["transactionId"] == self.transaction_id, response
        if self.rig.get_variable("AuthCtrlr", "AuthorizeRemoteStart")["attributeValue"] == "true":
            self._asked()

    def _asked(self) -> None:
        """The CSMS was asked about the token, unless it is cached or the start button's (C02)."""
        if self.cached or self.token_type == "NoAuthorization":
            self.rig.expect_none("Authorize", during=1.0)
            return
        request = self.rig.expect("Authorize")
        assert request["idToken"] == self.id_token, request

    def energy_transfer_started(self) -> None:
        """EnergyTransferStarted."""
        if not self.authorized:
            self.authorize()
        if not self.connected:
            self.ev_connected_pre_session()
        event = self.event("ChargingStateChanged", "RemoteStart")
        while event["transactionInfo"]["chargingState"] != "Charging":
            event = self.event("ChargingStateChanged")

    def energy_transfer_suspended(self) -> None:
        """EnergyTransferSuspended."""
        if not self._charging:
            self.energy_transfer_started()
        self.rig.let(DURATION)
        self.rig.ev(self.evse, requests_energy=False)
        event = self.event("ChargingStateChanged")
        assert event["transactionInfo"]["chargingState"] in ("EVConnected", "SuspendedEV"), event
        if event["eventType"] == "Ended":
            assert event["transactionInfo"]["stoppedReason"] == "StoppedByEV", event

    @property
    def _charging(self) -> bool:
        return bool(self.events) and self.events[-1]["transactionInfo"].get("chargingState") == "Charging"

    def stop_authorized(self) -> Payload:
        """StopAuthorized, local or remote; returns the event that said so."""
        if not self._charging:
            self.energy_transfer_started()
        self.rig.let(DURATION)
        if self.remote:
            response = self.rig.call("RequestStopTransaction", {"transactionId": self.transaction_id})
            assert response["status"] == "Accepted", response
            event = last = self.event("RemoteStop")
        else:
            self.rig.present(self.token, self.token_type, self.evse, stop=True)
            event = last = self.event("StopAuthorized")
            assert event.get("idToken", self.id_token)["idToken"].casefold() == self.token.casefold(), event
        ends = self._stops_at("Authorized", "PowerPathClosed", "EnergyTransfer")  # errata 2025-09, 6.2.117
        if not self.ended:
            last = self.event("ChargingStateChanged")
            assert last["transactionInfo"]["chargingState"] == "EVConnected", last
        assert last["eventType"] == ("Ended" if ends else "Updated"), last
        if ends:
            reason = last["transactionInfo"].get("stoppedReason", "Local")
            assert reason == ("Remote" if self.remote else "Local"), last
        return event

    def ev_connected_post_session(self) -> None:
        """EVConnectedPostSession; the change of state itself is in ``stop_authorized`` already."""
        if not any(event["triggerReason"] in ("StopAuthorized", "RemoteStop") for event in self.events):
            self.stop_authorized()
        assert self.ended or self.events[-1]["transactionInfo"]["chargingState"] == "EVConnected", self.events[-1]

    def ev_disconnected(self, *, becomes: str = "Available") -> None:
        """EVDisconnected."""
        if self.connected and self._charging:
            self.ev_connected_post_session()
        self.rig.unplug(self.evse)
        self.connected = False
        self.connector_status(becomes)
        if not self.ended:
            event = self.event("EVCommunicationLost")
            assert event["transactionInfo"]["chargingState"] == "Idle", event
            assert event["eventType"] == ("Ended" if self._stops_at("EVConnected") else "Updated"), event

    def parking_bay_unoccupied(self) -> None:
        """ParkingBayUnoccupied."""
        if self.connected:
            self.ev_disconnected()
        self.rig.bay(self.evse, occupied=False)
        if not self.ended and self.started and self._stops_at("ParkingBayOccupancy"):
            event = self.event("EVDeparted")
            assert event["eventType"] == "Ended", event
            reason = event["transactionInfo"].get("stoppedReason")
            assert reason == ("Remote" if self.remote else "Local"), event

    # ------------------------------------------------------------------ parts

    def connector_status(self, status: str) -> None:
        """The StatusNotification of this session's connector."""
        connector_is(self.rig, status, self.evse)


def connector_is(rig: Rig, status: str, evse: int = 1) -> Payload:
    """The station reports ``status`` for that EVSE's connector."""
    return rig.expect("StatusNotification", lambda one: one["evseId"] == evse and one["connectorStatus"] == status)


def booted(rig: Rig, *, reason: str | None = None, statuses: dict[int, str] | None = None) -> Payload:
    """Booted: BootNotification, the state of every connector, the security event; returns the BootNotification."""
    boot = rig.expect("BootNotification", within=30)
    if reason:
        assert boot["reason"] == reason, boot
    for evse in range(1, rig.evses + 1):
        connector_is(rig, (statuses or {}).get(evse, "Available"), evse)
    event = rig.expect("SecurityEventNotification")
    assert event["type"] in ("StartupOfTheDevice", "ResetOrReboot"), event
    return boot


def configured(
    rig: Rig,
    *,
    start: str = "EVConnected,Authorized",
    stop: str = "EVConnected,Authorized",
    remote: bool = False,
    kind: str = "ISO14443",
    **variables: str,
) -> Session:
    """A station that boots with these TxStartPoint, TxStopPoint and other variables, and a session to be.

    ``kind`` is the type of the driver's idToken.
    """
    points = {"TxCtrlr.TxStartPoint": start, "TxCtrlr.TxStopPoint": stop}
    rig.start(**{**points, **supporting(kind), **variables})
    identified = {"token": token(rig, kind), "token_type": kind}
    return Session(
        rig,
        **identified,
        remote=remote,
        start_points=frozenset(start.split(",")),
        stop_points=frozenset(stop.split(",")),
    )


def unavailable(rig: Rig, evse: int | None = None, connector: int | None = None) -> None:
    """Unavailable: the station, an EVSE or a connector is set Inoperative; every connector of it says so."""
    response = rig.call("ChangeAvailability", availability(operative=False, evse=evse, connector=connector))
    assert response["status"] == "Accepted", response
    for number in [evse] if evse else range(1, rig.evses + 1):
        status = connector_is(rig, "Unavailable", number)
        assert status["connectorId"] == 1, status


def availability(*, operative: bool, evse: int | None = None, connector: int | None = None) -> Payload:
    """A ChangeAvailabilityRequest."""
    payload: Payload = {"operationalStatus": "Operative" if operative else "Inoperative"}
    if evse:
        payload["evse"] = {"id": evse, **({"connectorId": connector} if connector else {})}
    return payload
