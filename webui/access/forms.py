"""The access rules as a form: one of two ready choices, or a tick for each role and place."""

from __future__ import annotations

import ipaddress
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from webui.access import rules
from webui.access.origin import Network, Place
from webui.access.rules import CHOICES, DELIVERED, MOST_SITES, Rules
from webui.accounts.roles import Role

AS_DELIVERED, VPN_ONLY, OWN = "delivered", "vpn", "own"
MODES = [
    (AS_DELIVERED, gettext_lazy("Local network and VPN")),
    (VPN_ONLY, gettext_lazy("Administration from the VPN only")),
    (OWN, gettext_lazy("A choice of its own for each")),
]
WIDEST = {4: 8, 6: 16}  # the shortest prefix that can be the networks of one site
LONGEST = 1000  # characters


class RulesForm(forms.Form):
    """``cleaned_data["rules"]`` is what was chosen."""

    mode = forms.ChoiceField(choices=MODES, widget=forms.RadioSelect, label=gettext_lazy("Who may come from where"))
    sites = forms.CharField(
        required=False,
        max_length=LONGEST,
        label=gettext_lazy("Further networks of this site"),
        help_text=gettext_lazy("Behind a router, one to a line: 192.168.20.0/24. They count as local network."),
        widget=forms.Textarea({"rows": 2, "spellcheck": "false", "placeholder": "192.168.20.0/24"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, label_suffix="", use_required_attribute=False)
        for role in Role:
            for place in CHOICES:
                label = _("%(role)s: %(place)s") % {"role": role.label, "place": place.label}
                self.fields[f"{role.word}-{place}"] = forms.BooleanField(required=False, label=label)

    @classmethod
    def of(cls, current: Rules) -> RulesForm:
        """The form as it shows what is in force."""
        mode = AS_DELIVERED if current.delivered else VPN_ONLY if current.vpn_only else OWN
        ticks = {f"{role.word}-{place}": place in current.places[role] for role in Role for place in CHOICES}
        return cls(initial={"mode": mode, "sites": "\n".join(map(str, current.sites)), **ticks})

    def rows(self) -> list[tuple[Role, list[forms.BoundField]]]:
        """The matrix: a role and its ticks."""
        return [(role, [self[f"{role.word}-{place}"] for place in CHOICES]) for role in Role]

    def clean_sites(self) -> tuple[Network, ...]:
        texts = self.cleaned_data["sites"].replace(",", " ").split()
        if len(texts) > MOST_SITES:
            raise forms.ValidationError(_("At most %(most)d networks.") % {"most": MOST_SITES})
        return tuple(dict.fromkeys(map(_network, texts)))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "mode" not in cleaned or "sites" not in cleaned:
            return cleaned
        if cleaned["mode"] == OWN:
            places = {
                role: frozenset(place for place in CHOICES if cleaned.get(f"{role.word}-{place}")) for role in Role
            }
        else:
            places = dict.fromkeys(Role, DELIVERED)
        chosen = Rules(places, cleaned["sites"])
        return {**cleaned, "rules": rules.vpn_only(chosen.sites) if cleaned["mode"] == VPN_ONLY else chosen}


def _network(text: str) -> Network:
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        try:
            meant = ipaddress.ip_interface(text).network
        except ValueError:
            raise forms.ValidationError(
                _("%(text)s is no network; one is written like 192.168.20.0/24.") % {"text": repr(text[:50])}
            ) from None
        raise forms.ValidationError(
            _("%(text)s is an address within the network %(meant)s.") % {"text": text, "meant": meant}
        ) from None
    if network.prefixlen < WIDEST[network.version]:
        raise forms.ValidationError(
            _("%(text)s is too wide to be the networks of one site; see Anywhere else for that.") % {"text": text}
        )
    if network.is_loopback or network.is_multicast:
        raise forms.ValidationError(_("Nobody comes from %(text)s.") % {"text": text})
    return network


COLUMNS = tuple(Place)
