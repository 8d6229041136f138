"""Command rows hold a secret sealed while they wait, and not at all afterwards."""

from datetime import timedelta

import pytest

from station.domain.effects import FinishCommand, Remember
from station.store import confidential, models, repositories

pytestmark = pytest.mark.django_db
SECRET = "correct horse battery"
NAMES = {"component": "SecurityCtrlr", "variable": "BasicAuthPassword"}


@pytest.fixture(autouse=True)
def _keys(settings, tmp_path):
    settings.KEYS_DIR = tmp_path / "keys"


def filed(**arguments):
    return models.Command.objects.create(who="olga", action="set_variable", arguments=arguments)


@pytest.mark.parametrize("names", [NAMES, {"component": "securityctrlr", "variable": "BASICAUTHPASSWORD"}])
def test_sealed_until_it_is_done(names):
    command = filed(**confidential.sealed({**names, "value": SECRET}))
    assert SECRET not in str(models.Command.objects.values())
    assert [done.arguments for done in repositories.filed_commands()] == [{**names, "value": SECRET}]
    repositories.commit([FinishCommand(command.id, "Rejected", "no")])
    command.refresh_from_db()
    assert command.arguments == {**names, "value": "****"}


def test_hidden_where_it_came_too_late():
    command = filed(**confidential.sealed({**NAMES, "value": SECRET}))
    assert repositories.filed_commands(command.filed_at + timedelta(hours=1)) == []
    command.refresh_from_db()
    assert (command.status, command.arguments["value"]) == ("Rejected", "****")


@pytest.mark.parametrize("value", ["sealed:1:AAAA", SECRET, None])
def test_what_does_not_open_is_rejected_and_holds_nothing_up(value, caplog):
    damaged = filed(**NAMES, value=value)
    sound = filed(component="TxCtrlr", variable="EVConnectionTimeOut", value="30")
    assert [command.command_id for command in repositories.filed_commands()] == [sound.id]
    damaged.refresh_from_db()
    assert (damaged.status, damaged.arguments["value"]) == ("Rejected", "****")
    assert "enter it again" in damaged.message
    assert SECRET not in caplog.text


def test_other_values_are_left_as_they_are():
    arguments = {"component": "TxCtrlr", "variable": "EVConnectionTimeOut", "value": "30"}
    assert confidential.sealed(arguments) == arguments
    command = filed(**arguments)
    repositories.commit([FinishCommand(command.id, "Accepted")])
    command.refresh_from_db()
    assert command.arguments == arguments


def test_what_may_be_shown_and_what_is_only_there():
    models.Variable.objects.create(component="SecurityCtrlr", variable="BasicAuthPassword", value="sealed:1:x")
    models.Variable.objects.create(component="TxCtrlr", variable="EVConnectionTimeOut", value="30")
    assert [(row.variable, row.value) for row in repositories.readable_variables()] == [("EVConnectionTimeOut", "30")]
    assert repositories.secrets_set() == {("SecurityCtrlr", "BasicAuthPassword")}


@pytest.mark.parametrize("action", confidential.WITH_PASSWORD)
def test_a_password_among_other_arguments(action):
    arguments = {"identity": "CP-1", "password": SECRET}
    command = models.Command.objects.create(
        who="olga", action=action, arguments=confidential.sealed_password(arguments)
    )
    assert SECRET not in str(models.Command.objects.values())
    assert [done.arguments for done in repositories.filed_commands()] == [arguments]
    repositories.commit([FinishCommand(command.id, "Accepted")])
    command.refresh_from_db()
    assert command.arguments == {**arguments, "password": "****"}


def test_no_password_is_nothing_to_hide():
    arguments = {"identity": "CP-1", "password": ""}
    assert confidential.sealed_password(arguments) == arguments
    command = models.Command.objects.create(who="olga", action="set_credentials", arguments=arguments)
    assert [done.arguments for done in repositories.filed_commands()] == [arguments]
    repositories.commit([FinishCommand(command.id, "Accepted")])
    command.refresh_from_db()
    assert command.arguments == arguments


def test_what_comes_back_after_a_trial_is_sealed_too():
    kept = {"what": "credentials", "variables": {"BasicAuthPassword": SECRET}}
    repositories.commit([Remember("connection_trial", kept)])
    assert SECRET not in str(models.Remembered.objects.values())
    assert repositories.load().remembered["connection_trial"] == kept


def test_the_password_before_is_sealed_and_known_as_a_secret() -> None:
    """A01: it stays until the new one has worked, and so does its secrecy."""
    repositories.commit([Remember("password_spare", {"password": "the-old-password-16", "refused": False})])
    assert "the-old-password" not in str(models.Remembered.objects.get(key="password_spare").value)
    assert repositories.load().remembered["password_spare"] == {"password": "the-old-password-16", "refused": False}
    assert "the-old-password-16" in repositories.secrets()
