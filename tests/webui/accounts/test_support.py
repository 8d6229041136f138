"""Django's admin: administrators only, every table there, read-only, no secret shown, quick with millions of rows."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from station.store.models import MeterPoint, Transaction, Variable
from tests.webui.accounts.conftest import Clock, Hands, set_up
from webui.accounts import support, tokens
from webui.accounts.models import Account, Change, Policy
from webui.accounts.roles import Role, give

pytestmark = pytest.mark.django_db
People = Callable[..., Hands]


@pytest.mark.parametrize("role", [Role.OWNER, Role.INSTALLER])
def test_closed_to_others_in_words_and_without_end(person: User, hands: People, role: Role) -> None:
    give(person, role)
    person.save()
    olga = hands().log_in()
    for address in ("/admin/", "/admin/store/variable/", "/admin/nothing/"):
        assert olga.client.get(address).status_code == 403, address
    assert "This is not open to you" in olga.get("/admin/").words


def test_without_login() -> None:
    answer = Client().get("/admin/auth/user/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/login/?next=/admin/auth/user/")


def test_every_table_is_there_and_read_only(administrator: Client, person: User) -> None:
    Variable.objects.create(component="TxCtrlr", variable="TxStartPoint", value="ParkingBayOccupancy")
    assert administrator.get("/admin/").status_code == 200
    for model in apps.get_models():
        opts = model._meta
        if model in support.UNUSED:
            continue
        assert administrator.get(reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")).status_code == 200
        if opts.label in support.SHUT or opts.app_label in ("store", "accounts", "notices"):
            address = reverse(f"admin:{opts.app_label}_{opts.model_name}_add")
            assert administrator.get(address).status_code == 403, address
    row = Variable.objects.get()
    address = f"/admin/store/variable/{row.pk}/change/"
    answer = administrator.get(address)
    assert b"ParkingBayOccupancy" in answer.content
    assert b"_save" not in answer.content
    assert administrator.post(address, {"value": "x"}).status_code == 403
    assert administrator.post(f"/admin/store/variable/{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert administrator.post(f"/admin/auth/user/{person.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Variable.objects.get().value == "ParkingBayOccupancy"


def test_no_secret_is_shown(administrator: Client, person: User, clock: Clock) -> None:
    set_up(person, clock)
    token, _text = tokens.make(person, "house", ["read"], None)
    account = Account.objects.get()
    session = administrator.session.session_key or ""
    for address, secret in (
        (f"/admin/accounts/account/{person.pk}/change/", account.totp_secret),
        (f"/admin/accounts/token/{token.pk}/change/", token.digest),
        (f"/admin/auth/user/{person.pk}/change/", person.password),
        ("/admin/accounts/recoverycode/", account.recovery_codes.first().digest),  # type: ignore[union-attr]
        ("/admin/accounts/signin/", session),
    ):
        answer = administrator.get(address)
        assert answer.status_code == 200
        assert secret.encode() not in answer.content


def test_what_can_be_changed_is_noted(administrator: Client, person: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(support, "SHUT_ROOMS", ())
    site = support.made()
    assert isinstance(site._registry[Policy], support.Changed)
    request = administrator.get("/admin/").wsgi_request
    row = Policy.objects.create(role="owner")
    changed = site._registry[Policy]
    changed.log_change(request, row, "")
    assert changed.has_delete_permission(request)
    assert Change.objects.get().subject == "accounts.Policy owner"


def test_a_count_of_millions_is_not_waited_for(administrator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(support, "COUNTED", 3)
    transaction = Transaction.objects.create(transaction_id="x", started_at=timezone.now())
    MeterPoint.objects.bulk_create(
        MeterPoint(transaction=transaction, at=timezone.now(), power=1, current=1, energy=1) for _ in range(9)
    )
    assert support.Counted(MeterPoint.objects.all(), 2).count == 3
    assert administrator.get("/admin/store/meterpoint/").status_code == 200


def test_password_and_logout_are_those_of_the_other_pages(administrator: Client) -> None:
    assert administrator.get("/admin/password_change/").headers["Location"] == "/account/"
    assert administrator.post("/admin/logout/").headers["Location"] == "/login/"
    assert administrator.get("/account/").status_code == 302
