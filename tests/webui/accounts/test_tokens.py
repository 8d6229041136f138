"""Tokens for machines: shown once, kept as a digest, no further than their owner."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import RequestFactory
from django.utils import timezone

from tests.webui.accounts.conftest import Hands
from webui.accounts import tokens
from webui.accounts.models import Change, Token

pytestmark = pytest.mark.django_db
People = Callable[..., Hands]


def test_found_by_its_text_only(person: User) -> None:
    token, text = tokens.make(person, "house", ["read", "control", "nonsense"], None)
    assert len(text) >= 3 + 43  # 256 bits
    assert token.scopes == ["read", "control"]
    assert text not in str(list(Token.objects.values()))
    assert tokens.find(text, "192.0.2.1") == token
    for wrong in ("", text[:-1], text + "x", text.upper(), token.digest, "st_", "st_" + "x" * 10_000, "st_\udcff\x00"):
        assert tokens.find(wrong) is None


def test_header(person: User) -> None:
    token, text = tokens.make(person, "house", ["read"], None)
    for header, found in (
        (f"Bearer {text}", token),
        (f"bearer  {text} ", token),
        (f"Basic {text}", None),
        (text, None),
        ("", None),
        ("Bearer", None),
    ):
        assert tokens.token_of(RequestFactory().get("/", headers={"Authorization": header})) == found, header
    assert tokens.token_of(RequestFactory().get("/")) is None


def test_it_ends_with_its_day_and_with_its_owner(person: User) -> None:
    now = timezone.now()
    assert tokens.find(tokens.make(person, "old", ["read"], now - timedelta(seconds=1))[1]) is None
    _token, text = tokens.make(person, "new", ["read"], now + timedelta(days=1))
    assert tokens.find(text) is not None
    person.is_active = False
    person.save()
    assert tokens.find(text) is None
    person.delete()
    assert not Token.objects.exists()


def test_scopes_reach_as_far_as_the_role(person: User) -> None:
    token, _text = tokens.make(person, "house", ["read", "configure"], None)
    assert tokens.allows(token, "read")
    assert not tokens.allows(token, "control")
    assert not tokens.allows(token, "configure")
    token.user.is_staff = True
    assert tokens.allows(token, "configure")


def test_use_is_noted_seldom(person: User, django_assert_num_queries: Callable[..., object]) -> None:
    token, text = tokens.make(person, "house", ["read"], None)
    tokens.find(text, "192.0.2.1")
    token.refresh_from_db()
    assert token.address == "192.0.2.1"
    assert token.used is not None
    with django_assert_num_queries(1):
        tokens.find(text, "192.0.2.1")
    Token.objects.update(used=timezone.now() - timedelta(minutes=11))
    with django_assert_num_queries(2):
        tokens.find(text, "192.0.2.1")


def test_page(person: User, anna: User, hands: People) -> None:
    olga = hands().log_in()
    olga.post("/tokens/", name="House", scopes=["read"], expires="")
    shown = re.search(r"st_[\w-]{43}", olga.words)
    assert shown is not None
    found = tokens.find(shown[0])
    assert found is not None
    assert (found.user, found.expires) == (person, None)
    assert shown[0] not in olga.get("/tokens/").words
    assert "House" in olga.words
    boss = hands().log_in(name="anna").get("/tokens/")
    assert "House" in boss.words
    boss.post(f"/tokens/{found.pk}/remove/")
    assert tokens.find(shown[0]) is None
    kinds = list(Change.objects.order_by("id").values_list("who", "kind", "subject"))
    assert kinds == [("olga", "token_made", "House"), ("anna", "token_removed", "House")]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"name": "", "scopes": ["read"]}, "This field is required."),
        ({"name": "x" * 61, "scopes": ["read"]}, "at most 60 characters"),
        ({"name": "x", "scopes": []}, "This field is required."),
        ({"name": "x", "scopes": ["configure"]}, "configure is not one of the available choices"),
        ({"name": "x", "scopes": ["read"], "expires": "2001-01-01"}, "This day is over"),
        ({"name": "x", "scopes": ["read"], "expires": "9999-12-31"}, "too far away"),
        ({"name": "x", "scopes": ["read"], "expires": "soon"}, "Enter a valid date."),
    ],
)
def test_bad_input(person: User, hands: People, typed: dict[str, object], said: str) -> None:
    olga = hands().log_in().post("/tokens/", **typed)
    assert olga.answer.status_code == 422
    assert said in olga.words
    assert not Token.objects.exists()


def test_nobody_removes_what_is_somebody_elses(person: User, anna: User, hands: People) -> None:
    token, _text = tokens.make(anna, "secret", ["read"], None)
    olga = hands().log_in()
    assert "secret" not in olga.get("/tokens/").words
    assert olga.post(f"/tokens/{token.pk}/remove/").answer.status_code == 404
    assert Token.objects.exists()
