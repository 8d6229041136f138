"""What is asked before a backup is made or put back, and before all is reset."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from station.backup.container import LARGEST, LONGEST_PASSPHRASE, SHORTEST_PASSPHRASE


class Form(forms.Form):
    """Several of these are on one page, so each has ids of its own."""

    called: ClassVar = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        ids = f"{self.called}-%s"
        super().__init__(*args, **kwargs, auto_id=ids, label_suffix="", use_required_attribute=False)


class DownloadForm(Form):
    """With a passphrase, typed twice, the secrets are in the file; without, none is."""

    called = "download"

    passphrase = forms.CharField(
        required=False,
        label=gettext_lazy("Passphrase for the secrets"),
        help_text=gettext_lazy("Left empty, the file has no passwords and no cards."),
        max_length=LONGEST_PASSPHRASE,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        required=False,
        label=gettext_lazy("The same once more"),
        max_length=LONGEST_PASSPHRASE,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        one, two = data.get("passphrase", ""), data.get("again", "")
        if one != two:
            self.add_error("again", _("The two are not the same."))
        elif one and len(one) < SHORTEST_PASSPHRASE:
            told = {"count": SHORTEST_PASSPHRASE}
            self.add_error("passphrase", _("Take at least %(count)s characters; files can be tried for years.") % told)
        return data


class UploadForm(Form):
    """The file, and what opens its secrets."""

    called = "upload"

    file = forms.FileField(
        label=gettext_lazy("Backup file"),
        allow_empty_file=True,
        widget=forms.ClearableFileInput({"accept": ".backup,application/json"}),
    )
    passphrase = forms.CharField(
        required=False,
        label=gettext_lazy("Its passphrase"),
        max_length=LONGEST_PASSPHRASE,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "off"}),
    )
    without_secrets = forms.BooleanField(required=False, label=gettext_lazy("Leave its secrets out"))

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > LARGEST:
            raise forms.ValidationError(_("This file is too large for a backup."))
        return file


class ResetForm(Form):
    """The name of the station, so that nobody resets another one by mistake."""

    called = "reset"

    name = forms.CharField(
        label=gettext_lazy("Name of the station"), max_length=100, widget=forms.TextInput({"autocomplete": "off"})
    )
    sessions = forms.BooleanField(required=False, label=gettext_lazy("Delete the sessions, too"))

    def __init__(self, *args: Any, expected: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._expected = expected

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name.strip() != self._expected:
            raise forms.ValidationError(_("That is not the name of this station."))
        return name
