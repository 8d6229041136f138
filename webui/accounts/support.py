"""Django's admin over everything, for support: administrators only, and read-only where another is the writer.

All of the store is the uplink's to write. Accounts and access rules have pages of their own, which keep what a table
cannot (there is always an administrator who gets in); the audit log and sums that were settled are nobody's to change.
What else the web interface keeps can be changed here, and each change is in the audit log. Loaded by the first person
who opens it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.paginator import Paginator
from django.db import models
from django.forms import Media
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from webui.accounts import audit, guard
from webui.accounts.roles import Role, has_role
from webui.accounts.views import Logout

UNUSED = (Group, Permission, ContentType)  # Django's own, of which nothing here makes use
# With pages that keep rules, or the record of what was.
SHUT = frozenset(
    (
        "auth.User",
        "sessions.Session",
        "admin.LogEntry",
        "access.Setting",
        "access.Trial",
        "tariff.Cost",
        "tariff.Settled",
    )
)
SHUT_ROOMS = ("accounts",)
# What opens a door, or is sealed because it would, is shown to nobody.
HIDDEN = frozenset(
    (
        "digest",
        "hook_url",
        "password",
        "private_key",
        "smtp_password",
        "secret",
        "session_data",
        "session_key",
        "totp_secret",
        "totp_step",
    )
)
COUNTED = 10_000  # rows; how many more there are nobody waits for
_SHORT = (models.TextField, models.JSONField)  # and what is longer stands on the row's own page


class Counted(Paginator):
    """A count that stays quick where there are millions of rows."""

    @cached_property
    def count(self) -> int:
        return int(self.object_list.order_by()[:COUNTED].count())  # type: ignore[union-attr]


class Shown(admin.ModelAdmin):  # type: ignore[type-arg]
    """Read-only, and quick whatever the number of rows."""

    paginator = Counted
    show_full_result_count = False
    list_per_page = 50
    actions = None
    media = Media()  # without 250 kB of scripts that make nothing better here

    def get_list_display(self, request: HttpRequest) -> list[str]:
        return [field.name for field in self.opts.fields if _told(field) and not isinstance(field, _SHORT)][:8]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [field.name for field in self.opts.fields if _told(field)]

    def get_ordering(self, request: HttpRequest) -> list[str]:
        return ["-pk"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return self.get_fields(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return has_role(request.user, Role.ADMINISTRATOR)


class Changed(Shown):
    """What the web interface keeps in other rooms: may be changed, and that is noted."""

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [field.name for field in self.opts.fields if _told(field) and not field.editable]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return has_role(request.user, Role.ADMINISTRATOR)

    has_change_permission = has_add_permission
    has_delete_permission = has_add_permission

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        audit.note(request, "support_added", f"{self.opts.label} {obj.pk}")
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        audit.note(request, "support_changed", f"{self.opts.label} {obj.pk}")
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for obj in queryset:
            audit.note(request, "support_removed", f"{self.opts.label} {obj.pk}")
        return super().log_deletions(request, queryset)


class Support(admin.AdminSite):
    """Django's site, behind our own door."""

    site_header = site_title = _("Support")
    index_title = _("All tables")
    site_url = "/"
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        return has_role(request.user, Role.ADMINISTRATOR)

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        return guard.administrator(super().admin_view(view, cacheable))

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return redirect("login")

    def logout(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return Logout.as_view()(request)

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return redirect("account")


def made() -> Support:
    """The site, with every table of the station in it."""
    site = Support(name="admin")
    for model in apps.get_models():
        room = apps.get_app_config(model._meta.app_label).name
        if model in UNUSED:
            continue
        own = model._meta.label in SHUT or model._meta.app_label in SHUT_ROOMS
        site.register(model, Shown if own or room.startswith("station.") else Changed)
    return site


def _told(field: Any) -> bool:
    sealed = field.name in HIDDEN or str(getattr(field, "help_text", "")).startswith("sealed")
    return not sealed and not getattr(field, "many_to_many", False)
