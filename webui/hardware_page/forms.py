"""A setpoint by hand, as it is typed."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy


class SetpointForm(forms.Form):
    """What the station knows better (cable, rating, phases) it judges itself."""

    current = forms.DecimalField(
        min_value=0, max_value=1000, max_digits=5, decimal_places=1, label=gettext_lazy("Current")
    )
    phases = forms.TypedChoiceField(coerce=int, choices=[(1, "1"), (3, "3")], label=gettext_lazy("Phases"))
