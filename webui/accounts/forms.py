"""What people type about themselves and each other."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.forms import AuthenticationForm, UsernameField
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from webui.accounts import rules
from webui.accounts.language import LANGUAGES
from webui.accounts.roles import Role, of_word

ROLES = [(role.word, role.label) for role in Role]
PLAIN = {"autocapitalize": "none", "spellcheck": "false"}
NEW_PASSWORD = {"autocomplete": "new-password"}


class Bare(forms.Form):
    """As the pages want it: no colons, and the station says what is missing, in its own words."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, label_suffix="", use_required_attribute=False)


class LoginForm(AuthenticationForm):
    """Django's own, with the words and hints of this page."""

    error_messages = {  # noqa: RUF012 - Django's own way to say it
        "invalid_login": gettext_lazy("This name and password do not belong together. Mind upper and lower case."),
        "inactive": gettext_lazy("This account is switched off."),
    }

    def __init__(self, request: Any = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self.fields["username"].label = gettext_lazy("User name")
        self.fields["username"].widget.attrs.update(PLAIN, autocomplete="username")


class CodeForm(Bare):
    """The second step: six digits of the app, or a recovery code."""

    code = forms.CharField(
        max_length=40,
        label=gettext_lazy("Code"),
        widget=forms.TextInput(
            {**PLAIN, "autocomplete": "one-time-code", "inputmode": "text", "autofocus": True, "class": "code-field"}
        ),
    )


class NewPasswordForm(Bare):
    """A password that somebody chooses, twice."""

    password = forms.CharField(
        strip=False,
        max_length=1000,
        label=gettext_lazy("New password"),
        help_text=gettext_lazy("At least 10 characters; a few words are better than one with odd signs."),
        widget=forms.PasswordInput(NEW_PASSWORD),
    )
    again = forms.CharField(
        strip=False,
        max_length=1000,
        label=gettext_lazy("Once more"),
        widget=forms.PasswordInput(NEW_PASSWORD),
    )

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        rules.check(password, self.user)
        if self.user.pk and self.user.check_password(password):
            raise ValidationError(_("That is the password you have now."))
        return password

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("password") and data.get("again") and data["password"] != data["again"]:
            self.add_error("again", _("The two are not the same."))
        return data


class ConfirmForm(Bare):
    """One's own password, before what a stranger at an open browser must not do."""

    current = forms.CharField(
        strip=False,
        max_length=1000,
        label=gettext_lazy("Your password"),
        widget=forms.PasswordInput({"autocomplete": "current-password"}),
    )


class ChangePasswordForm(ConfirmForm, NewPasswordForm):
    """The old one and the new one."""

    field_order = ("current", "password", "again")


class LanguageForm(Bare):
    language = forms.ChoiceField(required=False, label=gettext_lazy("Language"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", _("that of the browser")), *LANGUAGES.items()]
        self.fields["language"].choices = choices  # type: ignore[attr-defined]


class RoleForm(Bare):
    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=ROLES)

    def clean_role(self) -> Role:
        return of_word(self.cleaned_data["role"])


class AddForm(RoleForm):
    """A new account. Without a password there is an invitation: a password for one login."""

    username = UsernameField(
        max_length=60,
        label=gettext_lazy("User name"),
        help_text=gettext_lazy("Letters, digits and @ . + - _"),
        validators=[UnicodeUsernameValidator(message=gettext_lazy("Only letters, digits and @ . + - _ make a name."))],
        widget=forms.TextInput({**PLAIN, "autocomplete": "off"}),
    )
    password = forms.CharField(
        required=False,
        strip=False,
        max_length=1000,
        label=gettext_lazy("Password"),
        help_text=gettext_lazy(
            "Left empty, the station makes one that works for one login within a week; the person then chooses another."
        ),
        widget=forms.PasswordInput(NEW_PASSWORD),
    )

    field_order = ("username", "role", "password")

    def clean_username(self) -> str:
        name: str = self.cleaned_data["username"]
        if get_user_model().objects.filter(username__iexact=name).exists():
            raise ValidationError(_("There is an account of this name already."))
        return name

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if password:
            rules.check(password, get_user_model()(username=self.cleaned_data.get("username", "")))
        return password


class PolicyForm(Bare):
    """Of whom a second step is required."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for role in reversed(Role):
            self.fields[role.word] = forms.BooleanField(required=False, label=role.label)


class TokenForm(Bare):
    """A new token. ``offered`` are the scopes that are of use to its owner."""

    name = forms.CharField(
        max_length=60,
        label=gettext_lazy("What is it for?"),
        widget=forms.TextInput({"autocomplete": "off", "placeholder": gettext_lazy("Home automation")}),
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("What may it do?"), widget=forms.CheckboxSelectMultiple, initial=["read"]
    )
    expires = forms.DateField(
        required=False,
        label=gettext_lazy("Until"),
        help_text=gettext_lazy("The last day on which it works. Empty: until it is removed."),
        widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"),
    )

    def __init__(self, offered: list[tuple[str, Any]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["scopes"].choices = offered  # type: ignore[attr-defined]

    def clean_expires(self) -> Any:
        day = self.cleaned_data["expires"]
        if (day and not timezone.localdate() <= day) or (day and day.year > 9000):
            raise ValidationError(_("This day is over, or too far away."))
        return day
