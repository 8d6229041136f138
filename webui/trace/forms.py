"""Which lines of the trace somebody wants to see."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from station.live import trace
from webui.trace import from_csms, from_station
from webui.trace.book import Exchange


class TraceFilter(forms.Form):
    """Every field may be left empty."""

    direction = forms.ChoiceField(
        required=False,
        label=_("Who asks"),
        choices=[("", _("both")), (trace.OUT, _("the station")), (trace.IN, _("the operator's system"))],
    )
    action = forms.ChoiceField(required=False, label=_("Action"))
    evse = forms.IntegerField(required=False, label=_("EVSE"), min_value=1, max_value=999)
    search = forms.CharField(
        required=False, label=_("Search"), max_length=100, widget=forms.TextInput({"type": "search"})
    )
    wrong = forms.BooleanField(required=False, label=_("Errors and refusals only"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, label_suffix="", use_required_attribute=False)
        names = sorted({*from_csms.SENTENCES, *from_station.SENTENCES})
        self.fields["action"].choices = [("", _("any")), *((name, name) for name in names)]

    def fits(self, line: Exchange) -> bool:
        """Whether a line is wanted. Events of the connection stay where nothing but errors is asked for."""
        wanted = self.cleaned_data
        if wanted["wrong"] and line.tone not in ("bad", "wait"):
            return False
        if line.is_event and (wanted["direction"] or wanted["action"] or wanted["evse"]):
            return False
        if wanted["direction"] and line.direction != wanted["direction"]:
            return False
        if wanted["action"] and line.action != wanted["action"]:
            return False
        if wanted["evse"] and line.evse != wanted["evse"]:
            return False
        return not wanted["search"] or line.has(wanted["search"].casefold())

    @property
    def narrows(self) -> bool:
        """Whether it leaves anything out."""
        return any(self.data.get(name) for name in self.fields)
