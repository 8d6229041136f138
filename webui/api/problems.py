"""What went wrong, as problem details (RFC 9457): a stable word for the program, a sentence for the person."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _

MEDIA_TYPE = "application/problem+json"
TYPES = "/api/#problem-"  # where the documentation page explains them

# Each kind: its status, and what is said where nobody says it better.
KINDS: dict[str, tuple[int, str]] = {
    "bad-request": (400, "The request cannot be read"),
    "not-authenticated": (401, "A token or a login is needed"),
    "not-allowed": (403, "This caller may not do that"),
    "not-found": (404, "There is nothing here"),
    "method-not-allowed": (405, "This cannot be done here"),
    "refused": (409, "The station refused"),
    "too-large": (413, "The request is too large"),
    "wrong-media-type": (415, "The body has to be JSON"),
    "invalid": (422, "Something in the request is not as it should be"),
    "key-reused": (422, "The Idempotency-Key stands for another request"),
    "too-many-requests": (429, "Too many requests"),
    "mistake": (500, "The station made a mistake"),
    "station-away": (503, "The station does not answer"),
}


class Problem(Exception):
    """Raised to answer with a problem of ``kind``; ``detail`` is a sentence, ``more`` goes into the document."""

    def __init__(self, kind: str, detail: str = "", *, headers: dict[str, str] | None = None, **more: Any) -> None:
        super().__init__(detail or kind)
        self.kind = kind
        self.detail = detail
        self.headers = headers or {}
        self.more = more

    def response(self) -> HttpResponse:
        status, title = KINDS[self.kind]
        content = {"type": f"{TYPES}{self.kind}", "title": title, "status": status, **self.more}
        if self.detail:
            content["detail"] = self.detail
        return HttpResponse(
            json.dumps(content, ensure_ascii=False), status=status, content_type=MEDIA_TYPE, headers=self.headers
        )


def of_status(status: int) -> Problem:
    """The problem for a bare error status, such as Django's own answers."""
    kind = next((kind for kind, (code, _title) in KINDS.items() if code == status), "bad-request")
    return Problem("mistake" if status >= 500 and kind == "bad-request" else kind)


def station_away() -> Problem:
    """The uplink does not answer, so nothing is known and nothing was done."""
    return Problem(
        "station-away",
        _("The station is starting, or its uplink has stopped. Nothing was done. Try again in a few seconds."),
        headers={"Retry-After": "5"},
    )


def no_evse(evse_id: int) -> Problem:
    return Problem("not-found", _("The station has no EVSE %(evse)s.") % {"evse": evse_id})
