"""Login and logout."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import views as auth_views
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


class LoginForm(AuthenticationForm):
    """Django's own, with the words and hints of this page."""

    error_messages = {  # noqa: RUF012 - Django's own way to say it
        "invalid_login": _("This name and password do not belong together. Mind upper and lower case."),
        "inactive": _("This account is switched off."),
    }

    def __init__(self, request: HttpRequest | None = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self.fields["username"].label = _("User name")
        self.fields["username"].widget.attrs.update(autocapitalize="none", autocomplete="username", spellcheck="false")


class Login(auth_views.LoginView):
    template_name = "accounts/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True


class Logout(auth_views.LogoutView):
    next_page = "login"
