"""N09 and N10 by themselves: who is meant, what is told, what is forgotten."""

from __future__ import annotations

from typing import Any

import pytest

from station.domain.events import CustomerLookedUp
from station.domain.transaction import IdToken
from station.ocpp.blocks.n_diagnostics import customers
from station.ocpp.blocks.n_diagnostics.customers import split
from tests.support.memory_rig import MemoryRig

CARD, OTHER = "04A2B3C4D5E6F7", "04FFEEDDCCBBAA"
TOKEN = {"idToken": CARD, "type": "ISO14443"}
CERTIFICATE = {
    "hashAlgorithm": "SHA256",
    "issuerNameHash": "a1",
    "issuerKeyHash": "b2",
    "serialNumber": "c3",
}
SWITCH = "CustomerInformationCtrlr.CustomerIdentifierEnabled"


@pytest.fixture
def rig() -> MemoryRig:
    rig = MemoryRig().boot()
    rig.let(1)
    return rig


def ask(rig: MemoryRig, *, report: bool = True, clear: bool = False, request_id: int = 1, **customer: Any) -> Any:
    answer = rig.call("CustomerInformation", {"requestId": request_id, "report": report, "clear": clear, **customer})
    rig.let(1)
    return answer


def data(rig: MemoryRig, request_id: int = 1) -> str:
    parts = [one for one in rig.sent("NotifyCustomerInformation") if one["requestId"] == request_id]
    assert [part["seqNo"] for part in parts] == list(range(len(parts)))
    assert [part["tbc"] for part in parts] == [True] * (len(parts) - 1) + [False]
    return "\n".join(part["data"] for part in parts)


def charge(rig: MemoryRig, uid: str = CARD) -> str:
    rig.plug()
    rig.card(uid)
    rig.let(10)
    rig.card(uid)
    rig.let(3)
    rig.unplug()
    rig.let(3)
    transaction_id: str = rig.events()[-1]["transactionInfo"]["transactionId"]
    return transaction_id


@pytest.mark.parametrize(
    "customer",
    [{}, {"idToken": TOKEN, "customerIdentifier": "x"}, {"idToken": TOKEN, "customerCertificate": CERTIFICATE}],
)
def test_exactly_one_reference(rig: MemoryRig, customer: dict[str, Any]) -> None:
    assert ask(rig, clear=True, **customer) == {"status": "Invalid"}
    assert not rig.sent("NotifyCustomerInformation")


def test_neither_report_nor_clear(rig: MemoryRig) -> None:
    assert ask(rig, report=False, idToken=TOKEN)["status"] == "Rejected"


def test_the_report_has_session_and_journal_of_that_card_alone(rig: MemoryRig) -> None:
    mine, others = charge(rig), charge(rig, OTHER)
    assert ask(rig, idToken={"idToken": CARD.lower(), "type": "ISO14443"}) == {"status": "Accepted"}
    told = data(rig)
    assert mine in told
    assert "card_read" in told
    assert "kWh" in told
    assert others not in told
    assert OTHER not in told


def test_the_same_number_of_another_type_is_another_customer(rig: MemoryRig) -> None:
    charge(rig)
    ask(rig, idToken={"idToken": CARD, "type": "KeyCode"})
    assert data(rig) == ""


def test_a_long_report_is_split(rig: MemoryRig) -> None:
    for _ in range(6):
        charge(rig)
    ask(rig, idToken=TOKEN)
    parts = rig.sent("NotifyCustomerInformation")
    assert len(parts) > 2
    assert all(len(part["data"]) <= 512 for part in parts)
    assert data(rig).count("kWh") == 6


def test_clearing_takes_the_card_out_of_everything_and_leaves_the_session(rig: MemoryRig) -> None:
    transaction_id = charge(rig)
    other = charge(rig, OTHER)
    before = len(rig.disk.journal)
    assert ask(rig, report=False, clear=True, idToken=TOKEN) == {"status": "Accepted"}
    assert data(rig) == customers.CLEARED
    assert CARD not in str(rig.disk.transactions)
    assert CARD not in str(rig.disk.journal)
    assert rig.disk.transactions[transaction_id].meter_stop is not None
    assert rig.disk.transactions[other].id_token == IdToken(OTHER, "ISO14443")
    assert len(rig.disk.journal) == before + 1


def test_a_transaction_event_that_waits_for_the_csms_keeps_its_token(rig: MemoryRig) -> None:
    rig.plug()
    rig.card()
    rig.let(5)
    rig.disconnect()
    rig.card()
    rig.let(2)
    rig.unplug()
    rig.let(2)
    rig.answers["TransactionEvent"] = None
    rig.connect()
    assert ask(rig, report=False, clear=True, idToken=TOKEN) == {"status": "Accepted"}
    assert any(call.payload.get("idToken", {}).get("idToken") == CARD for call in rig.disk.queue.values())


def test_whoever_charges_cannot_be_forgotten_yet_but_told(rig: MemoryRig) -> None:
    rig.plug()
    rig.card()
    rig.let(5)
    answer = ask(rig, report=False, clear=True, idToken=TOKEN)
    assert (answer["status"], answer["statusInfo"]["reasonCode"]) == ("Rejected", "TxInProgress")
    assert CARD in str(rig.disk.transactions)
    assert ask(rig, idToken=TOKEN, request_id=2)["status"] == "Accepted"
    assert CARD in data(rig, 2)
    assert ask(rig, report=False, clear=True, request_id=3, idToken={"idToken": OTHER, "type": "ISO14443"}) == {
        "status": "Accepted"
    }


def test_no_certificate_is_stored(rig: MemoryRig) -> None:
    charge(rig)
    assert ask(rig, clear=True, customerCertificate=CERTIFICATE) == {"status": "Accepted"}
    assert data(rig) == ""
    assert CARD in str(rig.disk.transactions)


def test_what_other_blocks_keep_is_told_too(rig: MemoryRig) -> None:
    rig.station.context.customer_sources.append(lambda token: [f"cached {token.id_token}"])
    ask(rig, idToken=TOKEN)
    assert data(rig) == f"cached {CARD}"


# ------------------------------------------------------------------ customerIdentifier (C-14)


def name(rig: MemoryRig, identifier: str = "c-1", uid: str = CARD, kind: str = "ISO14443") -> str:
    done = rig.operator("name_customer", customer_identifier=identifier, id_token=uid, type=kind)
    assert done is not None
    return done.status


def test_customer_identifiers_are_switched_off(rig: MemoryRig) -> None:
    assert name(rig) == "Rejected"
    assert ask(rig, customerIdentifier="c-1")["status"] == "Rejected"


def test_a_customer_has_cards_and_their_sessions() -> None:
    rig = MemoryRig(**{SWITCH: "true"}).boot()
    assert name(rig) == name(rig, uid=OTHER) == name(rig, "c-2", "0011223344", "ISO15693") == "Accepted"
    mine, others = charge(rig), charge(rig, OTHER)
    ask(rig, customerIdentifier="c-1")
    assert mine in data(rig)
    assert others in data(rig)
    ask(rig, report=False, clear=True, request_id=2, customerIdentifier="c-1")
    assert CARD not in str(rig.disk.transactions)
    assert OTHER not in str(rig.disk.transactions)
    assert rig.disk.remembered[customers.CUSTOMERS] == {"c-2": [["0011223344", "ISO15693"]]}
    ask(rig, request_id=3, customerIdentifier="c-1")
    assert data(rig, 3) == ""


def test_clearing_a_card_takes_it_from_its_customer() -> None:
    rig = MemoryRig(**{SWITCH: "true"}).boot()
    name(rig)
    ask(rig, idToken=TOKEN)
    assert "c-1" in data(rig)
    ask(rig, report=False, clear=True, request_id=2, idToken=TOKEN)
    assert rig.disk.remembered[customers.CUSTOMERS] is None


@pytest.mark.parametrize(
    ("identifier", "uid", "kind"),
    [
        ("", CARD, "ISO14443"),
        ("x" * 65, CARD, "ISO14443"),
        ("a\nb", CARD, "ISO14443"),
        ("c", "", "ISO14443"),
        ("c", "x" * 37, "Central"),
        ("c", CARD, "NoAuthorization"),
        ("c", CARD, ""),
    ],
)
def test_nonsense_names_nobody(identifier: str, uid: str, kind: str) -> None:
    rig = MemoryRig(**{SWITCH: "true"}).boot()
    assert name(rig, identifier, uid, kind) == "Rejected"
    assert customers.CUSTOMERS not in rig.disk.remembered


# ------------------------------------------------------------------ when things go wrong


class Silent(MemoryRig):
    """A database that does not answer by itself."""

    def step(self, event: Any) -> None:
        if not isinstance(event, CustomerLookedUp) or event.failed:
            super().step(event)


def test_a_history_that_cannot_be_read_in_time() -> None:
    rig = Silent().boot()
    assert ask(rig, idToken=TOKEN) == {}
    rig.let(customers.PATIENCE + 1)
    assert rig.answer_to(rig.last_call_id)["status"] == "Rejected"
    assert not rig.sent("NotifyCustomerInformation")


def test_a_history_that_cannot_be_read() -> None:
    rig = Silent().boot()
    rig.call("CustomerInformation", {"requestId": 1, "report": True, "clear": True, "idToken": TOKEN})
    asked = rig.station._blocks  # the id is the block's own
    lookup_id = next(block for block in asked if isinstance(block, customers.Customers))._requests[0].lookup_id
    rig.step(CustomerLookedUp(lookup_id, failed=True))
    assert rig.answer_to(rig.last_call_id)["status"] == "Rejected"


def test_too_many_at_once() -> None:
    rig = Silent().boot()
    for _ in range(customers.AT_ONCE):
        assert ask(rig, idToken=TOKEN) == {}
    assert ask(rig, idToken=TOKEN)["statusInfo"]["reasonCode"] == "OutOfMemory"


def test_a_lost_link_loses_no_part(rig: MemoryRig) -> None:
    for _ in range(4):
        charge(rig)
    rig.answers["NotifyCustomerInformation"] = None
    rig.call("CustomerInformation", {"requestId": 1, "report": True, "clear": True, "idToken": TOKEN})
    rig.let(1)
    rig.disconnect()
    rig.answers.pop("NotifyCustomerInformation")
    rig.connect()
    rig.let(2)
    parts = {part["seqNo"]: part for part in rig.sent("NotifyCustomerInformation")}
    assert sorted(parts) == list(range(len(parts)))
    assert "\n".join(part["data"] for part in parts.values()).count("kWh") == 4
    assert not parts[len(parts) - 1]["tbc"]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", [""]),
        ("abc", ["abc"]),
        ("abcdefgh", ["abcde", "fgh"]),
        ("abc\ndefgh", ["abc", "defgh"]),
        ("abcde\nfgh", ["abcde", "fgh"]),
        ("\nabcdefg", ["\nabcd", "efg"]),
    ],
)
def test_split(text: str, parts: list[str]) -> None:
    assert list(split(text, 5)) == parts


def test_what_the_authorization_cache_keeps_is_told_and_forgotten() -> None:
    rig = MemoryRig(**{"AuthCacheCtrlr.Enabled": "true"}).boot()
    charge(rig)
    assert "authorization cache: Accepted" in (ask(rig, idToken=TOKEN), data(rig))[1]
    ask(rig, report=False, clear=True, request_id=2, idToken=TOKEN)  # N10.FR.03
    assert len(rig.station.context.token_cache) == 0
    ask(rig, request_id=3, idToken=TOKEN)
    assert "authorization cache" not in data(rig, 3)
