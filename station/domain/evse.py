"""EVSEs, and the place where an authorization waits for its cable."""

from __future__ import annotations

from dataclasses import dataclass, field

from station.domain.authorization import Authorization
from station.domain.board import BoardSnapshot, EvseSnapshot, Fault, WatchdogState
from station.domain.meter import Meter
from station.domain.transaction import ChargingState, IdToken, Transaction

EV_GRACE = 5.0  # s that an EV may take to ask for energy before the session counts as suspended by it

# TxStartPoint and TxStopPoint values (part 2, TxCtrlr): conditions that hold or do not.
PARKING_BAY_OCCUPANCY = "ParkingBayOccupancy"
EV_CONNECTED = "EVConnected"
AUTHORIZED = "Authorized"
DATA_SIGNED = "DataSigned"
POWER_PATH_CLOSED = "PowerPathClosed"
ENERGY_TRANSFER = "EnergyTransfer"


@dataclass(slots=True)
class Seat:
    """Where a session can be: an EVSE, or the lobby.

    ``spent`` are the conditions that held when the last transaction ended: they start no new one until they cease
    or somebody is authorized anew.
    """

    authorization: Authorization | None = None
    transaction: Transaction | None = None
    spent: set[str] = field(default_factory=set)
    announce: str = ""  # triggerReason that the next event must carry, with the idToken (F02.FR.21)
    refused: str = (
        ""  # AuthorizationStatusEnumType: the CSMS's word on the token of a session that it ended or suspended
    )

    @property
    def evse_id(self) -> int | None:
        """The EVSE's id; None for the lobby."""
        return None

    def conditions(self) -> set[str]:
        """Those of the TxStartPoint and TxStopPoint conditions that hold now."""
        return {AUTHORIZED} if self.authorization else set()

    def charging_state(self, monotonic: float) -> ChargingState:
        """ChargingStateEnumType as it is now."""
        return ChargingState.IDLE


class Lobby(Seat):
    """Holds an authorization (and, by TxStartPoint, a transaction) that does not know its EVSE yet (E03)."""


@dataclass(slots=True)
class Evse(Seat):
    """One EVSE with its one connector, as the last snapshot shows it.

    ``suspended_by_station`` says that the CSMS's word on the token stops the energy, not the transaction (E05.FR.02).
    """

    id: int = 1
    meter: Meter = field(default_factory=lambda: Meter(max_power=22_080.0))
    snapshot: EvseSnapshot | None = None
    board_online: bool = False
    board_lost_at: float | None = None
    plugged_at: float | None = None  # monotonic
    offered_at: float | None = None  # monotonic: since when current is offered to an EV that does not take it
    suspended_by_station: bool = False
    socket: bool = False  # the driver brings the cable, and a lock holds it
    signs: bool = False  # the meter's values are to be had signed
    lock_failed: bool = False  # it should hold a cable and does not (G05)
    limit: float | None = None  # A per phase that the owner allows at most; None: there is no such limit, 0 pauses
    kept_for: Authorization | None = None  # whose cable the lock holds after the EV's side was pulled (E09.FR.03)

    @property
    def evse_id(self) -> int | None:
        return self.id

    @property
    def plugged(self) -> bool:
        """An EV is connected."""
        return self.snapshot is not None and self.snapshot.cp_state.ev_connected

    @property
    def cable_in(self) -> bool:
        """A driver's cable is in the socket; nothing but a cable tells a socket how much it may carry."""
        return self.socket and self.snapshot is not None and self.snapshot.cable_limit > 0

    @property
    def locked(self) -> bool:
        return self.snapshot is not None and self.snapshot.connector_locked

    @property
    def bay_occupied(self) -> bool:
        return self.snapshot is not None and self.snapshot.bay_occupied

    @property
    def transferring(self) -> bool:
        """Energy can flow: contactor closed and the EV asks for it."""
        snapshot = self.snapshot
        return snapshot is not None and snapshot.contactor_closed and snapshot.cp_state.ev_ready and not snapshot.faults

    @property
    def offering(self) -> bool:
        """The board signals current to the EV."""
        return self.snapshot is not None and self.snapshot.current_offered > 0 and not self.snapshot.faults

    @property
    def faults(self) -> frozenset[Fault]:
        return self.snapshot.faults if self.snapshot else frozenset()

    @property
    def watchdog_tripped(self) -> bool:
        return self.snapshot is not None and self.snapshot.watchdog in (WatchdogState.TRIPPED, WatchdogState.RESTORED)

    @property
    def phases_used(self) -> int:
        """Phases that carry current now (E02.FR.18); those connected where none does yet."""
        if self.snapshot is None:
            return 1
        carrying = sum(1 for ampere in self.snapshot.meter.current if ampere > 0.5)
        return carrying or self.snapshot.phases

    def take(self, board: BoardSnapshot, snapshot: EvseSnapshot | None) -> None:
        """Take over what the board says; ``snapshot`` None: the board does not know this EVSE."""
        self.board_online = board.online and snapshot is not None
        if self.board_online:
            self.board_lost_at = None
        elif self.board_lost_at is None:
            self.board_lost_at = board.at
        if snapshot is None or not board.online:
            return
        was_plugged = self.plugged
        self.snapshot = snapshot
        if not self.cable_in:
            self.kept_for = None
        self.meter.take(snapshot.meter, board.at, idle=self.transaction is None)
        if self.plugged and not was_plugged:
            self.plugged_at = board.at
        elif not self.plugged:
            self.plugged_at = None
            self.refused = ""
        if self.offering and self.plugged and not self.transferring:
            if self.offered_at is None:
                self.offered_at = board.at
        else:
            self.offered_at = None

    def begin_anew(self) -> None:
        """The EVSE was reset: nothing is left of who was there; what is plugged in stays spent, as after a reboot."""
        self.authorization = None
        self.announce = self.refused = ""
        self.offered_at = None
        self.suspended_by_station = False

    def holds_for_another(self, id_token: IdToken) -> bool:
        """The lock holds the cable of a driver with another token."""
        return self.kept_for is not None and not self.kept_for.id_token.matches(id_token)

    def give_back(self, id_token: IdToken) -> bool:
        """True where that token's driver came for the cable that the lock holds: it opens (E09.FR.03)."""
        if self.kept_for is None or self.plugged or not self.kept_for.id_token.matches(id_token):
            return False
        self.kept_for = None
        return True

    def conditions(self) -> set[str]:
        held = {AUTHORIZED} if self.authorization else set()
        if self.bay_occupied:
            held.add(PARKING_BAY_OCCUPANCY)
        if self.plugged:
            held.add(EV_CONNECTED)
            if self.authorization:
                held.add(POWER_PATH_CLOSED)
                if self.signs and self.meter.reading and not self.meter.problem:
                    held.add(DATA_SIGNED)
        if self.transferring:
            held.add(ENERGY_TRANSFER)
        return held

    def charging_state(self, monotonic: float) -> ChargingState:
        if not self.plugged:
            return ChargingState.IDLE
        if self.transferring:
            return ChargingState.CHARGING
        if self.authorization is None:
            # the authorization ended, or there never was one; E05.FR.02 keeps it and suspends
            return ChargingState.EV_CONNECTED
        if self.suspended_by_station or self.faults or self.watchdog_tripped or self.limit == 0:
            return ChargingState.SUSPENDED_EVSE
        if not self.offering:
            # the offer is on its way to the board, or the station gives none
            return self._pausing(ChargingState.SUSPENDED_EVSE)
        if self.offered_at is not None and monotonic >= self.offered_at + EV_GRACE:
            return ChargingState.SUSPENDED_EV
        return self._pausing(ChargingState.SUSPENDED_EV)

    def _pausing(self, suspended: ChargingState) -> ChargingState:
        """A session that already charged is suspended at once; a young one is still being connected."""
        reached = self.transaction.charging_state if self.transaction else None
        if reached in (ChargingState.CHARGING, ChargingState.SUSPENDED_EV):
            return suspended
        if reached == ChargingState.SUSPENDED_EVSE:
            return reached  # the offer is back; the EV has its time to take it
        return ChargingState.EV_CONNECTED
