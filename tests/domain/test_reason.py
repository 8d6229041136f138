"""Why an EVSE does what it does: whatever the circumstances, one reason, and a true one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from station.domain.availability import Outage, OutBy
from station.domain.reason import LEAST_CURRENT, LITTLE, Circumstances, LimitedBy, Offline, Reason, Why, find

OUTAGE = Outage(OutBy.PERSON, "olga", "2026-03-01T12:00:00.000Z")

# What each reason claims. It may be kept back by another that matters more, but never be told where it is not so.
CLAIMS: dict[Why, Callable[[Circumstances], bool]] = {
    Why.NO_BOARD: lambda here: not here.board_online,
    Why.FAULT: lambda here: bool(here.faults),
    Why.ENDING: lambda here: here.ending,
    Why.KEPT: lambda here: here.kept and not here.plugged and not here.authorized,
    Why.LOCK_FAILED: lambda here: here.authorized and here.plugged and here.lock_failed,
    Why.SUSPENDED: lambda here: here.authorized and here.plugged and here.suspended,
    Why.FELL_BACK: lambda here: here.authorized and here.plugged and here.fell_back and not here.transferring,
    Why.CHARGING: lambda here: here.authorized and here.plugged and here.transferring and here.power >= LITTLE,
    Why.TAKES_LITTLE: lambda here: here.authorized and here.plugged and here.transferring and here.power < LITTLE,
    Why.LOCKING: lambda here: here.authorized and here.plugged and here.needs_lock,
    Why.PAUSED: lambda here: here.authorized and here.plugged and here.paused and not here.transferring,
    Why.TOO_LITTLE: lambda here: here.authorized and here.plugged and here.limit < LEAST_CURRENT,
    Why.CAR_PAUSES: lambda here: here.authorized and here.plugged and here.offering and not here.transferring,
    Why.CAR_PREPARES: lambda here: here.authorized and here.offering and not here.offered_long and not here.charged,
    Why.STARTING: lambda here: here.authorized and here.plugged and not here.offering,
    Why.WAITING_FOR_CABLE: lambda here: not here.plugged and (here.authorized or (here.awaited and not here.reserved)),
    Why.UNAVAILABLE: lambda here: here.outage is not None,
    Why.CHECKING: lambda here: here.checking and not here.authorized,
    Why.REFUSED: lambda here: bool(here.refusal) and not here.authorized,
    Why.NOT_ACCEPTED: lambda here: not here.may_charge and not here.authorized,
    Why.DEAUTHORIZED: lambda here: here.plugged and here.over and bool(here.deauthorized) and not here.authorized,
    Why.OVER: lambda here: here.plugged and here.over and not here.deauthorized and not here.authorized,
    Why.RESERVED: lambda here: here.reserved and not here.authorized,
    Why.WAITING_FOR_CARD: lambda here: (
        here.plugged and not here.authorized and here.may_charge and here.outage is None and not here.over
    ),
    Why.FREE: lambda here: not here.plugged and not here.authorized and here.outage is None,
}

# What belongs to each; all else is empty.
PARAMETERS: dict[Why, set[str]] = {
    Why.NO_BOARD: {"since"},
    Why.FAULT: {"faults"},
    Why.SUSPENDED: {"status"},
    Why.CHARGING: {"limited_by"},
    Why.TAKES_LITTLE: {"soc"},
    Why.TOO_LITTLE: {"limit"},
    Why.CAR_PAUSES: {"charged", "soc"},
    Why.WAITING_FOR_CABLE: {"left"},
    Why.UNAVAILABLE: {"by", "who", "since"},
    Why.REFUSED: {"status"},
    Why.NOT_ACCEPTED: {"status"},
    Why.DEAUTHORIZED: {"status"},
    Why.RESERVED: {"who", "until"},
    Why.WAITING_FOR_CARD: {"offline"},
}

CIRCUMSTANCES = st.builds(
    Circumstances,
    board_online=st.sampled_from([True, True, True, False]),
    lost_since=st.sampled_from(["", "2026-03-01T12:00:00.000Z"]),
    faults=st.sampled_from([(), (), (), ("GroundFailure",), ("OverCurrent", "PowerLoss")]),
    plugged=st.booleans(),
    kept=st.booleans(),
    authorized=st.booleans(),
    awaited=st.booleans(),
    wait_left=st.none() | st.integers(0, 120),
    lock_failed=st.booleans(),
    needs_lock=st.booleans(),
    suspended=st.booleans(),
    fell_back=st.booleans(),
    transferring=st.booleans(),
    power=st.floats(0, 22_000),
    limit=st.floats(0, 63),
    paused=st.booleans(),
    limited_by=st.sampled_from(LimitedBy),
    offering=st.booleans(),
    offered_long=st.booleans(),
    charged=st.booleans(),
    soc=st.none() | st.floats(0, 100),
    transaction=st.booleans(),
    ending=st.sampled_from([False, False, True]),
    over=st.booleans(),
    outage=st.sampled_from([None, None, OUTAGE]),
    checking=st.booleans(),
    refusal=st.sampled_from(["", "", "Blocked", "offline", "reserved"]),
    deauthorized=st.sampled_from(["", "Invalid"]),
    reserved=st.sampled_from([False, False, True]),
    reserved_for=st.sampled_from(["", "••E6F7"]),
    reserved_until=st.sampled_from(["", "2026-03-01T13:00:00.000Z"]),
    may_charge=st.booleans(),
    registration=st.sampled_from(["", "Accepted", "Pending", "Rejected"]),
    offline=st.sampled_from(Offline),
)


def holds(here: Circumstances) -> Reason:
    """The reason, which is one, is true, and carries what belongs to it and nothing else."""
    found = find(here)
    assert isinstance(found.why, Why)
    assert CLAIMS[found.why](here), f"{found.why} is not so"
    empty = Reason(found.why)
    for field in fields(Reason):
        if field.name != "why" and field.name not in PARAMETERS.get(found.why, set()):
            assert getattr(found, field.name) == getattr(empty, field.name), f"{field.name} of {found.why}"
    return found


@given(CIRCUMSTANCES)
def test_one_reason_and_a_true_one_whatever_the_circumstances(here: Circumstances) -> None:
    holds(here)


IN_A_SESSION = (
    *("plugged", "authorized", "lock_failed", "suspended", "transferring", "fell_back", "needs_lock", "offering"),
    *("offered_long", "charged", "awaited", "over", "paused"),
)
WITHOUT = (
    *("plugged", "authorized", "awaited", "kept", "transaction", "ending", "over", "checking", "may_charge"),
    "board_online",
)


def every(base: Circumstances, names: tuple[str, ...]) -> Iterator[Circumstances]:
    for held in product((False, True), repeat=len(names)):
        yield replace(base, **dict(zip(names, held, strict=True)))  # type: ignore[arg-type]


def test_every_combination_of_what_is_so_or_not() -> None:
    base = Circumstances(power=7000, limit=32, deauthorized="Invalid")
    met = {holds(here).why for here in every(base, IN_A_SESSION)}
    for outage, refusal, faults, status in product((None, OUTAGE), ("", "Blocked"), ((), ("PowerLoss",)), ("", "X")):
        idle = replace(base, power=0.0, transferring=True, outage=outage, refusal=refusal, faults=faults)
        met |= {holds(here).why for here in every(replace(idle, deauthorized=status), WITHOUT)}
    met.add(holds(replace(base, plugged=True, authorized=True, limit=5.9)).why)
    met.add(holds(replace(base, plugged=True, reserved=True)).why)
    assert met == set(Why), f"never met: {set(Why) - met}"
    assert set(CLAIMS) == set(Why)


def test_what_a_sentence_needs_comes_along() -> None:
    assert find(Circumstances(board_online=False, lost_since="s")) == Reason(Why.NO_BOARD, since="s")
    assert find(Circumstances(outage=OUTAGE)) == Reason(
        Why.UNAVAILABLE, by="person", who="olga", since="2026-03-01T12:00:00.000Z"
    )
    assert find(Circumstances(awaited=True, wait_left=17)) == Reason(Why.WAITING_FOR_CABLE, left=17)
    assert find(Circumstances(plugged=True, may_charge=False, registration="Pending")) == Reason(
        Why.NOT_ACCEPTED, status="Pending"
    )
    assert find(Circumstances(plugged=True, offline=Offline.KNOWN)) == Reason(
        Why.WAITING_FOR_CARD, offline=Offline.KNOWN
    )


def test_the_fallback_of_the_board_is_what_limits_before_all_else() -> None:
    here = Circumstances(plugged=True, authorized=True, transferring=True, power=1000, limit=32)
    assert find(here).limited_by is LimitedBy.NOTHING
    warm = replace(here, limited_by=LimitedBy.TEMPERATURE)
    assert find(warm).limited_by is LimitedBy.TEMPERATURE
    assert find(replace(warm, fell_back=True)).limited_by is LimitedBy.FALLBACK
