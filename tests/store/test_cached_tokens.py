"""The authorization cache on the disk, and key codes that are not to stay there."""

from datetime import UTC, datetime, timedelta

import pytest

from station.domain.authorization import CachedToken, TokenInfo
from station.domain.effects import FinishCommand, ForgetCachedToken, SaveCachedToken
from station.domain.transaction import IdToken
from station.store import models, repositories

NOW = datetime(2024, 5, 1, 10, 0, 0, 123456, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def cached(key: str, **changes) -> CachedToken:
    return CachedToken(
        **{"key": key, "info": TokenInfo("Accepted"), "stored": NOW, "updated": NOW, "used": NOW, **changes}
    )


def test_cached_tokens_come_back_as_they_were():
    info = TokenInfo(
        "Blocked",
        group_id_token=IdToken("FLEET", "Central"),
        evse_ids=(1, 2),
        cache_expiry=NOW,
        languages=("de", "en"),
        personal_message="Grüß Gott",
    )
    entries = [cached("a", info=info, uses=3), cached("b")]
    repositories.commit([SaveCachedToken(entry) for entry in entries])
    assert sorted(repositories.load().cached_tokens, key=lambda entry: entry.key) == entries


def test_a_step_may_clear_the_cache_and_fill_it_again():
    repositories.commit([SaveCachedToken(cached(key)) for key in "abc"])
    repositories.commit([ForgetCachedToken("a")])
    assert {entry.key for entry in repositories.load().cached_tokens} == {"b", "c"}
    repositories.commit([SaveCachedToken(cached("d")), ForgetCachedToken(None), SaveCachedToken(cached("e"))])
    assert {entry.key for entry in repositories.load().cached_tokens} == {"e"}


def test_a_damaged_cache_entry_is_left_out(caplog):
    repositories.commit([SaveCachedToken(cached("a")), SaveCachedToken(cached("b"))])
    models.CachedToken.objects.filter(key="a").update(info={"status": "Accepted"})
    assert [entry.key for entry in repositories.load().cached_tokens] == ["b"]
    assert "left out" in caplog.text


@pytest.mark.parametrize("finished", [True, False])
def test_a_key_code_does_not_stay_on_the_record(finished):
    """C04.FR.04."""
    arguments = {"evse_id": 1, "id_token": "815381", "type": "KeyCode"}
    command = models.Command.objects.create(who="olga", action="start", arguments=arguments)
    if finished:
        repositories.commit([FinishCommand(command.id, "Accepted")])
    else:
        repositories.filed_commands(command.filed_at + timedelta(hours=1))
    command.refresh_from_db()
    assert command.status != "Filed"
    assert command.arguments == {**arguments, "id_token": "****"}
