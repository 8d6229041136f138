"""What every page knows of access."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from webui.access import trials
from webui.accounts.roles import Role, has_role


def page(request: HttpRequest) -> dict[str, Any]:
    """Changes on trial, for whoever may keep them or take them back."""
    return {"trials": trials.running() if trials.running() and has_role(request.user, Role.ADMINISTRATOR) else []}
