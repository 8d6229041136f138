"""What was asked of the station, in words that follow a name: “anna asked for a restart”."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

ACTIONS: Mapping[str, Any] = {
    "start": _("asked to start charging"),
    "stop": _("asked to stop charging"),
    "unlock": _("asked to unlock the connector"),
    "master_pass": _("asked to end sessions after a master card"),
    "restart": _("asked for a restart"),
    "availability": _("asked to put an EVSE into or out of service"),
    "set_variable": _("asked to set a variable"),
    "name_customer": _("named the customer of a card"),
    "set_network_profile": _("asked to change a network slot"),
    "remove_network_profile": _("asked to empty a network slot"),
    "set_network_priority": _("asked to change the order of network slots"),
    "set_credentials": _("asked to change identity or password towards the operator"),
    "take_back": _("took a change of the connection back"),
    "clear_security_log": _("asked to clear the security log"),
    "install_certificate": _("asked to install a certificate"),
    "delete_certificate": _("asked to delete a certificate"),
    "renew_certificate": _("asked for a new certificate of the station"),
    "diagnose_connection": _("asked the connection doctor"),
    "stop_diagnosis": _("sent the connection doctor away"),
    "block_card": _("asked to block a card at this station"),
    "unblock_card": _("asked to let a card charge here again"),
    "teach_card": _("asked to have a card read"),
    "stop_teaching": _("no longer wanted a card to be read"),
    "install_firmware": _("asked to install a firmware"),
    "set_installation": _("asked to set the electrical data"),
    "begin_maintenance": _("asked to begin maintenance"),
    "end_maintenance": _("asked to end maintenance"),
    "manual_setpoint": _("asked for a setpoint by hand"),
    "self_test": _("asked for a self-test"),
    "send_log": _("asked to send a log"),
    "limit": _("asked to limit the current"),
}


def asked_for(action: str) -> str:
    """The words for a command; of an unknown one, its own."""
    return str(ACTIONS.get(action) or action.replace("_", " "))
