"""``manage.py account``."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from tests.webui.accounts.conftest import Clock, Hands, set_up
from webui.accounts.models import Change
from webui.accounts.roles import Role, role_of

pytestmark = pytest.mark.django_db


def run(*words: str) -> str:
    said = StringIO()
    call_command("account", *words, stdout=said)
    return said.getvalue()


def test_list(anna: User, person: User, clock: Clock) -> None:
    set_up(anna, clock)
    person.is_active = False
    person.save()
    assert run("list") == "anna: administrator, second step\nolga: switched off\n"


def test_recover(person: User, hands: Callable[..., Hands], clock: Clock) -> None:
    olga = hands().log_in()
    set_up(person, clock)
    User.objects.update(is_active=False)
    password = re.search(r"with (\S+) and", run("recover", "olga", "--role", "administrator"))
    assert password is not None
    assert olga.get("/").at == "/login/"
    olga.log_in(password[1]).post("/login/password/", password="seven brave ducks", again="seven brave ducks")
    assert olga.inside
    assert role_of(User.objects.get()) is Role.ADMINISTRATOR
    assert Change.objects.filter(who="manage.py", kind="account_recovered", subject="olga").exists()


def test_nobody_of_that_name(person: User) -> None:
    with pytest.raises(CommandError, match="no account 'otto'"):
        run("recover", "otto")
