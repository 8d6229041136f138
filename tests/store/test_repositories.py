"""What a step stores comes back whole, in one transaction and few statements."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import Error, connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from station.domain.effects import (
    Dequeue,
    Enqueue,
    FinishCommand,
    Journal,
    Remember,
    RemoveNetworkProfile,
    SaveMeterPoint,
    SaveNetworkProfile,
    SaveTransaction,
    SaveVariable,
    Stored,
    UpdateQueued,
)
from station.domain.events import OperatorCommand
from station.domain.memory import QueuedCall, StoredVariable
from station.domain.network import NetworkProfile
from station.domain.transaction import ChargingState, IdToken, Transaction
from station.store import models, repositories
from station.store.mapping import from_row, to_row

NOW = datetime(2024, 5, 1, 10, 0, 0, 123456, tzinfo=UTC)
PASSWORD = ("SecurityCtrlr", "BasicAuthPassword")

pytestmark = pytest.mark.django_db


def session(**changes) -> Transaction:
    return Transaction(**{"transaction_id": "tx-1", "started_at": NOW, "evse_id": 1, **changes})


def enqueue(sequence: int, **payload) -> Enqueue:
    return Enqueue(sequence, "TransactionEvent", payload, NOW)


def queued(sequence: int, attempts: int = 0, **payload) -> QueuedCall:
    return QueuedCall(sequence, "TransactionEvent", payload, NOW, attempts)


def test_nothing_stored_is_a_station_from_the_factory():
    memory = repositories.load()
    assert (memory.transactions, memory.queue, memory.variables, memory.remembered) == ([], [], [], {})


# ---------------------------------------------------------------------- transactions

NAMES = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=36)
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
TOKENS = st.none() | st.builds(IdToken, NAMES, st.sampled_from(["ISO14443", "Central", "NoAuthorization"]))
REGISTERS = st.none() | st.integers(0, 2**50)
TRANSACTIONS = st.builds(
    Transaction,
    transaction_id=st.uuids().map(str),
    started_at=MOMENTS,
    evse_id=st.none() | st.integers(1, 32),
    connector_id=st.none() | st.integers(1, 4),
    id_token=TOKENS,
    group_id_token=TOKENS,
    authorized_by=NAMES,
    remote_start_id=st.none() | st.integers(0, 2**31 - 1),
    reservation_id=st.none() | st.integers(0, 2**31 - 1),
    seq_no=st.integers(0, 2**31 - 1),
    charging_state=st.none() | st.sampled_from(ChargingState),
    phases_used=st.none() | st.integers(0, 3),
    meter_start=REGISTERS,
    meter_stop=REGISTERS,
    soc_start=st.none() | st.floats(0, 100),
    soc_stop=st.none() | st.floats(0, 100),
    ended_at=st.none() | MOMENTS,
    stopped_reason=NAMES,
    active=st.just(True),
    started_offline=st.booleans(),
    meter_suspect=st.booleans(),
    seconds_charging=st.floats(0, 1e7),
    extra=st.dictionaries(NAMES, st.none() | st.integers(-(2**31), 2**31) | NAMES | st.lists(NAMES), max_size=3),
)


class TransactionsSurvive(TestCase):
    """On a fresh database for each example."""

    @given(records=st.lists(TRANSACTIONS, max_size=3, unique_by=lambda record: record.transaction_id))
    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    def test_round_trip(self, records):
        repositories.commit([SaveTransaction(record) for record in records])
        loaded = {record.transaction_id: record for record in repositories.load().transactions}
        assert loaded == {record.transaction_id: record for record in records}


def test_transaction_columns_are_for_the_history():
    repositories.commit(
        [
            SaveTransaction(
                session(
                    id_token=IdToken("04A2", "ISO14443"),
                    charging_state=ChargingState.SUSPENDED_EV,
                    meter_start=1_000,
                    meter_stop=3_500,
                )
            )
        ]
    )
    row = models.Transaction.objects.get()
    assert (row.id_token, row.id_token_type, row.charging_state) == ("04A2", "ISO14443", "SuspendedEV")
    assert row.energy == 2_500
    assert row.started_at == NOW


def test_ended_transaction_stays_in_the_history_only():
    repositories.commit([SaveTransaction(session())])
    repositories.commit([SaveTransaction(session(active=False, ended_at=NOW, meter_start=9, meter_stop=5))])
    assert repositories.load().transactions == []
    row = models.Transaction.objects.get()
    assert row.ended_at == NOW
    assert row.energy == 0  # a register that went back bills nothing


def test_state_of_another_version_is_read():
    row = to_row(session(seq_no=7))
    row.state = {name: value for name, value in row.state.items() if name != "seconds_charging"} | {"later": 1}
    assert from_row(row) == session(seq_no=7)


@pytest.mark.parametrize("damage", [{}, {"started_at": "x", "transaction_id": "a"}, {"id_token": {}}, {"id_token": 5}])
def test_damaged_state_is_named(damage):
    row = to_row(session())
    row.state = damage
    row.save()
    with pytest.raises(ValueError):
        repositories.load()


def test_meter_points_belong_to_their_transaction():
    point = SaveMeterPoint("tx-1", NOW, 3635.0, 15.8, 1204.6, 41.5)
    repositories.commit([SaveTransaction(session()), point, SaveMeterPoint("tx-1", NOW, 0.0, 0.0, 1204.7)])
    rows = models.Transaction.objects.get().points.values_list("at", "power", "current", "energy", "soc")
    assert list(rows) == [(NOW, 3635.0, 15.8, 1204.6, 41.5), (NOW, 0.0, 0.0, 1204.7, None)]


# ---------------------------------------------------------------------- queue


def test_queue_keeps_its_order_and_what_was_tried():
    repositories.commit([enqueue(2, seqNo=1), enqueue(1, seqNo=0), enqueue(10, seqNo=2)])
    repositories.commit([UpdateQueued(1, 3), UpdateQueued(2, 0, {"seqNo": 1, "offline": True}), Dequeue(10)])
    assert repositories.load().queue == [queued(1, 3, seqNo=0), queued(2, 0, seqNo=1, offline=True)]


def test_queue_within_one_step():
    repositories.commit([enqueue(1, a=1), UpdateQueued(1, 2), UpdateQueued(1, 3, {"a": 2}), enqueue(2), Dequeue(2)])
    assert repositories.load().queue == [queued(1, 3, a=2)]
    repositories.commit([UpdateQueued(1, 9), Dequeue(1, "given up")])
    assert repositories.load().queue == []


QUEUE_STEP = st.lists(
    st.one_of(
        st.tuples(st.just("in"), st.integers(0, 9)),
        st.tuples(st.just("tried"), st.integers(0, 9)),
        st.tuples(st.just("out"), st.integers(0, 9)),
    ),
    max_size=8,
)


class QueueSurvives(TestCase):
    """The table says after any steps what a list in memory says."""

    @given(steps=st.lists(QUEUE_STEP, max_size=5))
    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    def test_any_steps(self, steps):
        queue: dict[int, QueuedCall] = {}
        gone: set[int] = set()
        for step in steps:
            effects: list[Stored] = []
            for what, sequence in step:
                if what == "in" and sequence not in queue and sequence not in gone:
                    queue[sequence] = queued(sequence, n=sequence)
                    effects.append(enqueue(sequence, n=sequence))
                elif what == "tried" and sequence in queue:
                    queue[sequence].attempts += 1
                    effects.append(UpdateQueued(sequence, queue[sequence].attempts))
                elif what == "out" and queue.pop(sequence, None):
                    gone.add(sequence)
                    effects.append(Dequeue(sequence))
            repositories.commit(effects)
        assert repositories.load().queue == [queue[sequence] for sequence in sorted(queue)]


# ---------------------------------------------------------------------- variables, facts, journal


def test_variables_are_told_apart_by_all_of_their_key():
    different = [
        SaveVariable("OCPPCommCtrlr", "MessageTimeout", "30", variable_instance="Default"),
        SaveVariable("EVSE", "Power", "22", attribute="Target", evse_id=1),
        SaveVariable("EVSE", "Power", "11", evse_id=1),
        SaveVariable("EVSE", "Power", "11", evse_id=2),
        SaveVariable("Connector", "Available", "true", evse_id=1, connector_id=1),
        SaveVariable("X", "Available", "", component_instance="a"),
    ]
    repositories.commit(different)
    repositories.commit([SaveVariable("EVSE", "Power", "7", evse_id=1)])
    loaded = set(repositories.load().variables)
    assert len(loaded) == 6
    assert StoredVariable("EVSE", "Power", "7", evse_id=1) in loaded
    assert StoredVariable("EVSE", "Power", "22", "Target", evse_id=1) in loaded
    repositories.commit(
        [SaveVariable("EVSE", "Power", None, evse_id=1), SaveVariable("EVSE", "Power", None, evse_id=2)]
    )
    assert loaded - set(repositories.load().variables) == {
        StoredVariable("EVSE", "Power", "7", evse_id=1),
        StoredVariable("EVSE", "Power", "11", evse_id=2),
    }


def test_last_value_in_a_step_wins():
    repositories.commit([SaveVariable("A", "B", "1"), SaveVariable("A", "B", None), SaveVariable("C", "D", None)])
    assert repositories.load().variables == []
    repositories.commit([SaveVariable("A", "B", None), SaveVariable("A", "B", "2")])
    assert repositories.load().variables == [StoredVariable("A", "B", "2")]


@pytest.fixture
def keys(settings, tmp_path):
    settings.KEYS_DIR = tmp_path
    return tmp_path


def test_password_is_sealed_at_rest(keys):
    repositories.commit([SaveVariable(*PASSWORD, "correct horse battery")])
    assert "horse" not in models.Variable.objects.get().value
    assert repositories.load().variables == [StoredVariable(*PASSWORD, "correct horse battery")]


def test_password_that_cannot_be_opened_is_left_out(keys, caplog):
    repositories.commit([SaveVariable(*PASSWORD, "correct horse battery"), SaveVariable("A", "B", "1")])
    models.Variable.objects.filter(variable="BasicAuthPassword").update(value="in clear")
    assert repositories.load().variables == [StoredVariable("A", "B", "1")]
    assert "BasicAuthPassword" in caplog.text
    assert "in clear" not in caplog.text


def test_facts_are_kept_and_forgotten():
    repositories.commit([Remember("boot_reason", "PowerUp"), Remember("availability", {"1": ["Inoperative", 1.5]})])
    repositories.commit([Remember("boot_reason", None), Remember("clock", 0), Remember("never", None)])
    assert repositories.load().remembered == {"availability": {"1": ["Inoperative", 1.5]}, "clock": 0}


def test_journal():
    repositories.commit([Journal(NOW, "plugged_in", 1, "tx-1", {"a": 1}), Journal(NOW, "link_up")])
    rows = models.JournalEntry.objects.values_list("at", "kind", "evse_id", "transaction_id", "data")
    assert list(rows) == [(NOW, "plugged_in", 1, "tx-1", {"a": 1}), (NOW, "link_up", None, None, {})]


# ---------------------------------------------------------------------- commands, network profiles


def file(action: str = "start", age: float = 0.0, **arguments) -> int:
    row = models.Command.objects.create(who="ada", action=action, arguments=arguments)
    models.Command.objects.filter(id=row.id).update(filed_at=NOW - timedelta(seconds=age))
    return row.id


def test_commands_are_read_once_done_never():
    first, second = file("start", evse_id=1), file("restart")
    assert repositories.filed_commands(NOW) == [
        OperatorCommand(first, "ada", "start", {"evse_id": 1}),
        OperatorCommand(second, "ada", "restart", {}),
    ]
    assert [command.command_id for command in repositories.filed_commands(NOW, after=first)] == [second]
    repositories.commit([FinishCommand(second, "Rejected", "x" * 400)])
    assert [command.command_id for command in repositories.filed_commands(NOW)] == [first]
    row = models.Command.objects.get(id=second)
    assert (row.status, len(row.message)) == ("Rejected", 300)
    assert row.finished_at is not None


def test_stale_commands_are_not_carried_out():
    old, new = file(age=61), file(age=59)
    assert [command.command_id for command in repositories.filed_commands(NOW)] == [new]
    row = models.Command.objects.get(id=old)
    assert (row.status, row.finished_at) == ("Rejected", NOW)


def test_network_profiles():
    models.NetworkProfile.objects.create(slot=2, csms_url="wss://b/ocpp", security_profile=2, message_timeout=10)
    first, second = NetworkProfile(1, "ws://a/ocpp", 1), NetworkProfile(2, "wss://b/ocpp", 2, 10)
    repositories.commit([SaveNetworkProfile(first)])
    assert repositories.load().network_profiles == [first, second]
    moved = NetworkProfile(2, "wss://c/ocpp", 3, 20, "Wireless0")
    repositories.commit([SaveNetworkProfile(second), SaveNetworkProfile(moved), RemoveNetworkProfile(1)])
    assert repositories.load().network_profiles == [moved]


# ---------------------------------------------------------------------- one step, one commit


def a_full_step() -> list[Stored]:
    return [
        SaveTransaction(session()),
        SaveTransaction(session(seq_no=1)),
        SaveMeterPoint("tx-1", NOW, 1.0, 1.0, 1.0),
        SaveMeterPoint("tx-1", NOW, 2.0, 1.0, 1.0),
        enqueue(1),
        enqueue(2),
        Dequeue(7),
        Remember("a", 1),
        Remember("b", 2),
        SaveVariable("A", "B", "1"),
        SaveVariable("A", "C", "1"),
        Journal(NOW, "plugged_in"),
        Journal(NOW, "authorized"),
    ]


def test_a_step_takes_few_statements():
    with CaptureQueriesContext(
        connection,
    ) as queries:
        repositories.commit(a_full_step())
    statements = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
    assert len(statements) == 7


def test_a_step_may_be_written_twice():
    step = [effect for effect in a_full_step() if not isinstance(effect, SaveMeterPoint | Journal)]
    repositories.commit(step)
    before = repositories.load()
    repositories.commit(step)
    assert repositories.load() == before


@pytest.mark.django_db(transaction=True)
def test_a_step_is_all_or_nothing():
    with pytest.raises(Error):
        repositories.commit([Remember("a", 1), enqueue(1), SaveMeterPoint("no such transaction", NOW, 1.0, 1.0, 1.0)])
    assert repositories.load().remembered == {}
    assert repositories.load().queue == []


def test_unknown_effect_is_refused():
    with pytest.raises(TypeError, match="Stored"):
        repositories.commit([Stored()])
