"""What is stored about a customer is found, and gone afterwards; everybody else's is neither."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User

from station.domain.effects import EraseCustomer, Journal, Remember, SaveTransaction
from station.domain.transaction import IdToken, Transaction
from station.store import customers, models, repositories

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINE, OTHERS = IdToken("04A2B3C4D5E6F7", "ISO14443"), IdToken("04FFEEDDCCBBAA", "ISO14443")


def session(number: int, token: IdToken, *, active: bool = False, group: IdToken | None = None) -> Transaction:
    return Transaction(
        f"tx-{number}",
        NOON + timedelta(hours=number),
        evse_id=1,
        id_token=token,
        group_id_token=group,
        meter_start=1_000_000,
        meter_stop=3_500_000,
        ended_at=None if active else NOON + timedelta(hours=number, minutes=30),
        stopped_reason="" if active else "Local",
        active=active,
    )


def card_read(number: int, token: IdToken) -> Journal:
    data = {"id_token": token.id_token, "type": token.type}
    return Journal(NOON + timedelta(hours=number, minutes=-1), "card_read", evse_id=1, data=data)


@pytest.fixture(autouse=True)
def _history(db: None) -> None:
    repositories.commit(
        [
            *(SaveTransaction(session(number, MINE)) for number in range(3)),
            SaveTransaction(session(3, OTHERS, group=MINE)),
            SaveTransaction(session(4, OTHERS)),
            *(card_read(number, MINE) for number in range(3)),
            card_read(4, OTHERS),
            Journal(NOON, "plugged_in", evse_id=1),
        ]
    )
    user = User.objects.create_user("olga")
    arguments = {"evse_id": 1, "id_token": MINE.id_token}
    models.Command.objects.create(user=user, who="olga", action="start", arguments=arguments)
    arguments = {"customer_identifier": "c-1", "id_token": OTHERS.id_token, "type": "ISO14443"}
    models.Command.objects.create(user=user, who="olga", action="name_customer", arguments=arguments)


def everything() -> str:
    return str(
        [
            *models.Transaction.objects.values(),
            *models.JournalEntry.objects.values(),
            *models.Command.objects.values("arguments"),
        ]
    )


def test_found_in_order_without_regard_to_case() -> None:
    lines = customers.look_up((IdToken(MINE.id_token.lower(), "ISO14443"),))
    assert len(lines) == 7
    assert lines == tuple(sorted(lines))
    assert lines[1] == (
        "2026-03-01T12:00:00.000Z transaction tx-0, ISO14443 04A2B3C4D5E6F7, EVSE 1, 2.500 kWh, "
        "ended 2026-03-01T12:30:00.000Z Local"
    )
    assert "tx-4" not in str(lines)
    assert customers.look_up(()) == ()
    assert customers.look_up((IdToken(MINE.id_token, "Central"),)) == ()


def test_signs_of_the_query_language_mean_nothing() -> None:
    assert customers.look_up((IdToken("%", "ISO14443"),)) == ()
    assert customers.look_up((IdToken("04A2B3C4D5E6F_", "ISO14443"),)) == ()


def test_erased_and_only_that() -> None:
    repositories.commit([EraseCustomer((MINE,))])
    assert MINE.id_token not in everything()
    assert customers.look_up((MINE,)) == ()
    assert len(customers.look_up((OTHERS,))) == 3
    row = models.Transaction.objects.get(pk="tx-0")
    assert (row.energy, row.id_token, row.active) == (2_500_000, "", False)
    assert models.Transaction.objects.get(pk="tx-3").id_token == OTHERS.id_token
    assert models.JournalEntry.objects.filter(kind="card_read").count() == 4
    repositories.load()


def test_the_identifier_goes_with_it() -> None:
    repositories.commit([EraseCustomer((), "c-1")])
    assert "c-1" not in everything()
    assert MINE.id_token in everything()


def test_a_running_session_keeps_its_token() -> None:
    repositories.commit([SaveTransaction(session(9, MINE, active=True)), EraseCustomer((MINE,))])
    (running,) = repositories.load().transactions
    assert running.id_token == MINE


def test_the_url_of_an_upload_is_sealed() -> None:
    repositories.commit([Remember("log_upload", {"url": "https://a:secret@b/"})])
    assert "secret" not in str(models.Remembered.objects.get(key="log_upload").value)
    assert repositories.load().remembered["log_upload"] == {"url": "https://a:secret@b/"}
    models.Remembered.objects.filter(key="log_upload").update(value="sealed:1:nonsense")
    assert "log_upload" not in repositories.load().remembered
    repositories.commit([Remember("log_upload", None)])
    assert not models.Remembered.objects.filter(key="log_upload").exists()
