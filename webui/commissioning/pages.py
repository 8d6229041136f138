"""Each step's page, and what saving it does. ``PAGES`` gives a template's context, ``SAVES`` obeys a button.

What a save returns is the context of the page that says what is wrong; None: it is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from asgiref.sync import async_to_sync
from django.apps import apps
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from station.device_model.components import ChargingStation, ClockCtrlr
from station.store import confidential
from station.store.models import Command, NetworkProfile
from webui.commands import filing
from webui.commissioning import addresses, reading, steps
from webui.commissioning.forms import ElectricalForm, Form, PlaceForm, SignForm, SkipForm, electrical_now, time_zones
from webui.commissioning.models import Commissioning
from webui.commissioning.steps import Step
from webui.dashboard import latest
from webui.device_model.reading import Reading
from webui.network import doctor
from webui.network import live as network_live
from webui.network.forms import SlotForm
from webui.network.reading import Connection
from webui.owner import here
from webui.owner.models import Settings


@dataclass(slots=True)
class Visit:
    """Somebody at a step."""

    request: HttpRequest
    commissioning: Commissioning
    step: Step

    @property
    def who(self) -> str:
        return str(self.request.user.get_username())

    @property
    def pressed(self) -> str:
        return str(self.request.POST.get("do", "save"))

    def keep(self, values: Mapping[str, Any], revision: int | None, **more: Any) -> None:
        """Raises steps.Conflict and steps.Over."""
        self.commissioning = steps.keep(self.commissioning, self.step.name, self.who, revision, values, **more)

    def ask(self, action: str, arguments: dict[str, Any]) -> Command:
        """File a command of this person, and tell the station."""
        command = async_to_sync(filing.file)(self.request.user, action, arguments)
        async_to_sync(filing.nudge)(command)
        return command

    def typed(self, form: Form) -> dict[str, Any]:
        """What was typed, as JSON that goes back into the form."""
        return {name: self.request.POST.get(name, "") for name in form.fields if name != "revision"}


Context = dict[str, Any]


def initial(visit: Visit, values: Mapping[str, Any]) -> dict[str, Any]:
    """What a form shows at first: what was kept before ``values``."""
    return {**values, **visit.step.values, "revision": visit.step.revision}


# ------------------------------------------------------------------ language and place


def place(visit: Visit, form: PlaceForm | None = None) -> Context:
    if form is None:
        model = Reading().model
        mine = here.settings()
        known = {
            "language": translation.get_language(),
            "site": mine.place or mine.name,
            "address": mine.letterhead_address,
            "time_zone": model[ClockCtrlr.TimeZone] or "Europe/Berlin",
            "serial_number": model[ChargingStation.SerialNumber],
        }
        form = PlaceForm(initial=initial(visit, known))
    return {"form": form, "time_zones": time_zones()}


def save_place(visit: Visit) -> Context | None:
    form = PlaceForm(visit.request.POST)
    if not form.is_valid():
        return place(visit, form)
    _keep_and_set(visit, form, form.wishes())
    _tell_the_owner(form.cleaned_data)
    return None


def _tell_the_owner(typed: Mapping[str, Any]) -> None:
    """The language and place of the pages, where the owner has not said them yet."""
    with transaction.atomic():
        row, _made = Settings.objects.get_or_create(pk=Settings.THE_ONE)
        if row.serial == 0:
            row.language, row.place, row.serial = typed["language"], typed["site"], 1
            row.save(update_fields=["language", "place", "serial"])
    here.forget()


def _keep_and_set(visit: Visit, form: Form, wishes: dict[str, str]) -> None:
    """Keep what was typed first: whoever comes second must not have set anything."""
    typed, revision = visit.typed(form), form.cleaned_data["revision"]
    visit.keep(typed, revision)
    command = visit.ask("set_installation", {"variables": wishes})
    visit.keep(typed, revision + 1, commands=[command.pk])


# ------------------------------------------------------------------ electrical data


def electrical(visit: Visit, form: ElectricalForm | None = None) -> Context:
    if form is None:
        model = Reading().model
        limits = reading.board_limits(latest.recent(), model)
        form = ElectricalForm(model, limits, initial=initial(visit, electrical_now(model)))
    return {"form": form}


def save_electrical(visit: Visit) -> Context | None:
    model = Reading().model
    limits = reading.board_limits(latest.recent(), model)
    form = ElectricalForm(model, limits, visit.request.POST)
    if not form.is_valid():
        return electrical(visit, form)
    _keep_and_set(visit, form, form.wishes())
    return None


# ------------------------------------------------------------------ board


def board(visit: Visit, refused: str = "") -> Context:
    live, model = latest.recent(), Reading().model
    known, since = reading.tests(), visit.commissioning.begun_at
    evses = []
    for evse_id in range(1, model.evses + 1):
        evse = next((one for one in live.evses if one.evse_id == evse_id), None) if live else None
        checks = reading.evse_checks(live, evse, model) if live and evse else []
        runs = reading.runs_test(live, evse_id)
        evses.append({"evse_id": evse_id, "checks": [reading.test_check(evse_id, since, known, runs=runs), *checks]})
    return {
        "evses": evses,
        "heard": live is not None,
        "online": live is not None and live.board_online,
        "error": live.board_error if live else "",
        "door": live is not None and live.door_open,
        "board": live.engineering.get("board", {}) if live else {},
        "refused": refused,
    }


def save_board(visit: Visit) -> Context | None:
    if visit.pressed == "test":
        for evse_id in range(1, Reading().model.evses + 1):
            visit.ask("self_test", {"evse_id": evse_id})
        return None
    found = board(visit)
    if not found["online"]:
        return board(visit, _("The board does not answer, so there is nothing to keep."))
    tones = [check.tone for evse in found["evses"] for check in evse["checks"]]
    if "bad" in tones:
        return board(visit, _("Something is wrong with the board. It has to be mended first."))
    if "wait" in tones:
        return board(visit, _("Run the self-test first, and wait for its outcome."))
    kept = [
        {
            "evse_id": evse["evse_id"],
            "checks": [[one.label, one.value, one.tone] for one in evse["checks"]],
        }
        for evse in found["evses"]
    ]
    visit.keep({"evses": kept, "board": found["board"], "door": found["door"]}, None, outcome=steps.DONE)
    return None


# ------------------------------------------------------------------ local network


def network(visit: Visit, refused: str = "") -> Context:
    return {
        "interfaces": addresses.interfaces(),
        "host": addresses.host_name(),
        "address": visit.request.build_absolute_uri("/"),
        "refused": refused,
    }


def save_network(visit: Visit) -> Context | None:
    found = [{"name": one.name, "addresses": list(one.addresses), "mac": one.mac} for one in addresses.interfaces()]
    values = {"interfaces": found, "host": addresses.host_name(), "address": visit.request.build_absolute_uri("/")}
    visit.keep(values, None, outcome=steps.DONE)
    return None


# ------------------------------------------------------------------ operator's system


def csms(visit: Visit, form: SlotForm | None = None, refused: str = "") -> Context:
    connection, live = Connection(), latest.recent()
    here = connection.slot((connection.order or [1])[0])
    if form is None:
        known: dict[str, Any] = {"identity": connection.identity}
        if here.profile is not None:
            names = ("csms_url", "security_profile", "interface", "message_timeout")
            known |= {name: getattr(here.profile, name) for name in names}
        form = SlotForm(connection, here, initial=known)
    told = live.diagnosis if live is not None else None
    return {
        "form": form,
        "slot": here,
        "connection": connection,
        "now": network_live.now(live) if live is not None else "",
        "doctor": network_live.doctor(doctor.last() if told is None else doctor.read(told)),
        "asked": Command.objects.filter(pk=visit.request.session.get("commissioning_csms")).first(),
        "connected": _registered(),
        "refused": refused,
    }


def _registered() -> bool:
    """The operator's system has accepted the station, under the address and the identity that were entered.

    For a moment after they are kept, the last connection still stands; of the demonstration's, above all.
    """
    live = latest.recent()
    if live is None or not live.connected or live.registration != "Accepted" or live.trial_left:
        return False
    return NetworkProfile.objects.filter(csms_url=live.csms_url).exists() and Connection().identity == live.identity


def save_csms(visit: Visit) -> Context | None:
    if visit.pressed == "keep":
        live = latest.recent()
        if live is None or not _registered():
            return csms(visit, refused=_("The operator's system has not accepted the station yet."))
        last = doctor.last()
        values = {
            "csms_url": live.csms_url,
            "identity": live.identity,
            "security_profile": live.security_profile,
            "slot": live.slot,
            "doctor": last.verdict if last is not None and last.csms_url == live.csms_url else "",
        }
        visit.keep(values, None, outcome=steps.DONE)
        return None
    connection = Connection()
    here = connection.slot((connection.order or [1])[0])
    form = SlotForm(connection, here, visit.request.POST)
    if not form.is_valid():
        return csms(visit, form)
    command = visit.ask("set_network_profile", confidential.sealed_password({"slot": here.number, **form.cleaned_data}))
    visit.request.session["commissioning_csms"] = command.pk
    return None


# ------------------------------------------------------------------ cards


def cards(visit: Visit) -> Context:
    return {"has_cards": apps.is_installed("webui.cards"), "count": _cards()}


def _cards() -> int:
    return apps.get_model("cards", "Card").objects.count() if apps.is_installed("webui.cards") else 0


def save_cards(visit: Visit) -> Context | None:
    visit.keep({"count": _cards()}, None, outcome=steps.DONE)
    return None


# ------------------------------------------------------------------ test charge


def charge(visit: Visit, refused: str = "") -> Context:
    live = latest.recent()
    begun = visit.step.values.get("begun") or {}
    evses = [
        reading.charge(evse_id, steps.moment(begun.get(str(evse_id))), live)
        for evse_id in range(1, Reading().model.evses + 1)
    ]
    return {"evses": evses, "any_done": any(one.done for one in evses), "refused": refused}


def save_charge(visit: Visit) -> Context | None:
    values: dict[str, Any] = dict(visit.step.values)
    if visit.pressed.startswith("begin-"):
        evse_id = visit.pressed.removeprefix("begin-")
        known = {str(one) for one in range(1, Reading().model.evses + 1)}
        if evse_id not in known:
            return charge(visit, _("There is no such EVSE."))
        begun = {**(values.get("begun") or {}), evse_id: timezone.now().isoformat()}
        visit.keep({**values, "begun": begun}, None)
        return None
    found: list[reading.Charge] = charge(visit)["evses"]
    lacking = [str(one.evse_id) for one in found if not one.done]
    if lacking:
        missing = _("The test charge of EVSE %(numbers)s is not complete.") % {"numbers": ", ".join(lacking)}
        return charge(visit, missing)
    kept = {str(one.evse_id): reading.kept_charge(one) for one in found}
    visit.keep({**values, "evses": kept}, None, outcome=steps.DONE)
    return None


# ------------------------------------------------------------------ sign-off


def sign(visit: Visit, form: SignForm | None = None) -> Context:
    if form is None:
        user = visit.request.user
        known = {
            "name": getattr(user, "get_full_name", str)() or user.get_username(),
            "address": visit.request.build_absolute_uri("/"),
        }
        form = SignForm(initial=initial(visit, known))
    return {"form": form, "missing": steps.missing(visit.commissioning), "all": steps.all_of(visit.commissioning)}


def save_sign(visit: Visit) -> Context | None:
    from webui.commissioning import record

    form = SignForm(visit.request.POST)
    if not form.is_valid() or steps.missing(visit.commissioning):
        return sign(visit, form)
    visit.keep(visit.typed(form), form.cleaned_data["revision"], outcome=steps.DONE)
    record.sign(visit.commissioning, visit.who, form.cleaned_data)
    return None


PAGES: Mapping[str, Callable[[Visit], Context]] = {
    steps.PLACE: place,
    steps.ELECTRICAL: electrical,
    steps.BOARD: board,
    steps.NETWORK: network,
    steps.CSMS: csms,
    steps.CARDS: cards,
    steps.CHARGE: charge,
    steps.SIGN: sign,
}
SAVES: Mapping[str, Callable[[Visit], Context | None]] = {
    steps.PLACE: save_place,
    steps.ELECTRICAL: save_electrical,
    steps.BOARD: save_board,
    steps.NETWORK: save_network,
    steps.CSMS: save_csms,
    steps.CARDS: save_cards,
    steps.CHARGE: save_charge,
    steps.SIGN: save_sign,
}


def skip(visit: Visit) -> Context | None:
    """Leave the step out, with a reason."""
    form = SkipForm(visit.request.POST)
    if not form.is_valid():
        return {**PAGES[visit.step.name](visit), "skip": form}
    visit.keep(visit.step.values, form.cleaned_data["revision"], skipped=form.cleaned_data["reason"])
    return None
