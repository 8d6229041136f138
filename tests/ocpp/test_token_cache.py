"""The authorization cache by itself: what is kept, for how long, and what makes room (C10 to C12)."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from station.device_model.components import AuthCacheCtrlr
from station.domain.authorization import TokenInfo
from station.domain.effects import ForgetCachedToken, SaveCachedToken
from station.domain.memory import Memory
from station.domain.moment import Moment
from station.domain.transaction import IdToken
from station.ocpp.station import Station
from station.ocpp.token_cache import TokenCache
from tests.support.memory_rig import EPOCH

NOW = Moment(EPOCH, 1_000.0)
ACCEPTED, BLOCKED = TokenInfo("Accepted"), TokenInfo("Blocked")
SIZE = 64 + len("Accepted") + 5 * 8  # bytes of an entry without anything else


def cards(*uids: str) -> list[IdToken]:
    return [IdToken(uid, "ISO14443") for uid in uids]


CARD, SECOND, THIRD, FOURTH = cards("04AA", "04BB", "04CC", "04DD")


def cache(**variables: str) -> TokenCache:
    station = Station(Memory(), evses=1, entropy=random.Random(1))
    for name, value in {"Enabled": "true", **variables}.items():
        station.model.factory_set(f"AuthCacheCtrlr.{name}", value)
    return station.context.token_cache


def later(seconds: float) -> Moment:
    return NOW.plus(seconds)


def test_the_latest_word_counts_whatever_it_is() -> None:
    """C10.FR.01, C12.FR.06."""
    kept = cache()
    kept.update(CARD, ACCEPTED, NOW)
    kept.update(CARD, BLOCKED, later(1))
    assert kept.find(CARD, later(1)) == BLOCKED
    assert len(kept) == 1


def test_case_does_not_count_and_the_type_does() -> None:
    """C01.FR.25."""
    kept = cache()
    kept.update(CARD, ACCEPTED, NOW)
    assert kept.find(IdToken("04aa", "ISO14443"), NOW) == ACCEPTED
    assert kept.find(IdToken("04AA", "ISO15693"), NOW) is None


@pytest.mark.parametrize("kind", ["NoAuthorization", "Central", "Local"])
def test_what_is_never_kept(kind: str) -> None:
    """C02.FR.03, C03.FR.02, C05.FR.02."""
    kept = cache()
    kept.update(IdToken("X", kind), ACCEPTED, NOW)
    assert len(kept) == 0


@pytest.mark.parametrize("variables", [{"Enabled": "false"}, {"Available": "false"}])
def test_a_cache_that_is_off_is_neither_asked_nor_changed(variables: dict[str, str]) -> None:
    """C10.FR.11."""
    kept = cache(**variables)
    kept.update(CARD, ACCEPTED, NOW)
    assert len(kept) == 0
    model = kept._context.model
    model.factory_set("AuthCacheCtrlr.Enabled", "true")
    model.factory_set("AuthCacheCtrlr.Available", "true")
    kept.update(CARD, ACCEPTED, NOW)
    model.factory_set("AuthCacheCtrlr.Enabled", "false")
    assert kept.find(CARD, NOW) is None
    assert len(kept) == 1  # switching it does not alter the content


def test_life_time_counts_from_the_csms_last_word() -> None:
    """C10.FR.08, C10.FR.10 (errata 2.21)."""
    kept = cache(LifeTime="100")
    kept.update(CARD, ACCEPTED, NOW)
    assert kept.find(CARD, later(99)) == ACCEPTED
    kept.update(CARD, ACCEPTED, later(99))
    assert kept.find(CARD, later(198)) == ACCEPTED
    assert kept.find(CARD, later(199)) is None
    assert len(kept) == 0


def test_a_date_of_the_csms_overrules_the_life_time() -> None:
    """C10.FR.13."""
    kept = cache(LifeTime="100")
    kept.update(CARD, TokenInfo("Accepted", cache_expiry=EPOCH + timedelta(days=1)), NOW)
    assert kept.find(CARD, later(86_399))
    assert kept.find(CARD, later(86_400)) is None


def test_a_date_that_is_past_keeps_a_token_out_and_takes_it_out() -> None:
    """C10.FR.13 (errata 2.21): prepaid accounts."""
    past = TokenInfo("Accepted", cache_expiry=EPOCH - timedelta(seconds=1))
    kept = cache()
    kept.update(CARD, past, NOW)
    assert len(kept) == 0
    kept.update(CARD, ACCEPTED, NOW)
    kept.update(CARD, past, later(1))
    assert kept.find(CARD, later(1)) is None


@pytest.mark.parametrize(("policy", "gone"), [("LRU", SECOND), ("LFU", THIRD), ("FIFO", CARD), ("CUSTOM", THIRD)])
def test_what_makes_room(policy: str, gone: IdToken) -> None:
    """C10.FR.07; CUSTOM as it suggests: first what is not accepted."""
    kept = cache(Policy=policy, Storage=str(3 * SIZE))
    kept.update(CARD, ACCEPTED, NOW)
    kept.update(SECOND, ACCEPTED, later(1))
    kept.used(SECOND, later(2))
    kept.used(CARD, later(3))
    kept.update(THIRD, BLOCKED, later(4))
    kept.update(FOURTH, ACCEPTED, later(5))
    left = [card for card in (CARD, SECOND, THIRD, FOURTH) if kept.find(card, later(5))]
    assert left == [card for card in (CARD, SECOND, THIRD, FOURTH) if card != gone]


def test_storage_tells_the_bytes_in_use_and_is_never_exceeded() -> None:
    kept = cache(Storage="1000")
    for number in range(100):
        kept.update(IdToken(f"{number:08X}", "ISO14443"), TokenInfo("Accepted", personal_message="ä" * number), NOW)
        assert kept._context.model[AuthCacheCtrlr.Storage] == kept.size <= 1000
    assert len(kept) > 1


def test_an_entry_larger_than_the_room_is_not_kept() -> None:
    kept = cache(Storage=str(SIZE))
    kept.update(CARD, ACCEPTED, NOW)
    kept.update(CARD, TokenInfo("Accepted", personal_message="Hello"), later(1))
    assert len(kept) == 0


def test_nobody_can_read_from_the_store_whose_cards_were_here() -> None:
    """C10.FR.12."""
    kept = cache()
    kept.update(CARD, ACCEPTED, NOW)
    (saved,) = [effect for effect in kept._context.effects if isinstance(effect, SaveCachedToken)]
    assert "04aa" not in str(saved).casefold().replace(saved.record.key, "")
    other = cache()
    other._context.remember("cache_salt", "another")
    other.update(CARD, ACCEPTED, NOW)
    assert saved.record.key not in str(other._context.effects)


def test_forgetting() -> None:
    kept = cache()
    kept.update(CARD, ACCEPTED, NOW)
    kept.update(SECOND, ACCEPTED, NOW)
    assert kept.forget(CARD)
    assert not kept.forget(CARD)
    kept.clear()
    assert len(kept) == 0
    assert kept._context.effects[-1] == ForgetCachedToken(None)


@pytest.mark.parametrize("when", ["soon", ""])
def test_a_date_that_is_none_counts_as_not_given(when: str) -> None:
    assert TokenInfo.read({"status": "Accepted", "cacheExpiryDateTime": when}).cache_expiry is None
