"""``manage.py account``: help at the station itself for somebody who cannot get in any more."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from webui.accounts import audit, invitations, second_step, signins
from webui.accounts.roles import Role, give, of_word, role_of

CONSOLE = "manage.py"  # who did it, in the audit log


class Command(BaseCommand):
    """Works on a running station as on a stopped one. Whoever can call it can read the whole database anyway."""

    help = "Lists the accounts of the web interface, or lets somebody in again."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="what", required=True)
        actions.add_parser("list", help="names, roles, and how each logs in")
        recover = actions.add_parser(
            "recover",
            help="prints a new password for one login, takes the second step away, switches the account on",
        )
        recover.add_argument("name")
        recover.add_argument("--role", choices=[role.word for role in Role], help="and give this role")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["what"] == "list":
            self._list()
        else:
            self._recover(options["name"], options["role"])

    def _list(self) -> None:
        for user in get_user_model().objects.select_related("account").order_by("username"):
            account = getattr(user, "account", None)
            role = role_of(user)
            words = [role.word if role else "switched off"]
            if account is not None and second_step.is_on(account):
                words.append("second step")
            if until := invitations.until(user, account):
                words.append(f"invited until {until:%F %R} UTC")
            self.stdout.write(f"{user.get_username()}: {', '.join(words)}")

    def _recover(self, name: str, role: str | None) -> None:
        user = get_user_model().objects.filter(username=name).first()
        if user is None:
            raise CommandError(f"there is no account {name!r}; “account list” names all", returncode=2)
        with transaction.atomic():
            if role is not None:
                give(user, of_word(role))
            user.is_active = True
            password, _until = invitations.give(user)
            second_step.switch_off(second_step.account_of(user))
            signins.end_all(user)
            audit.write(None, CONSOLE, "account_recovered", name)
        self.stdout.write(f"User {name} logs in once with {password} and then chooses another password.")
