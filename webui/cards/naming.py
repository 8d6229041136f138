"""What the owner calls the cards: for every page that says who charges."""

from __future__ import annotations

from collections.abc import Iterable

from webui.cards.models import Card

AT_ONCE = 500  # names per query


def names(id_tokens: Iterable[str]) -> dict[str, str]:
    """The owner's names of those cards that have one, by the number as it was given. Raises django.db.Error.

    One query for up to 500 numbers, so ask for a whole page at once. Numbers are compared without regard to case.
    """
    wanted: dict[str, list[str]] = {}
    for id_token in id_tokens:
        if id_token:
            wanted.setdefault(id_token.casefold(), []).append(id_token)
    keys, found = sorted(wanted), {}
    for start in range(0, len(keys), AT_ONCE):
        rows = Card.objects.filter(lookup__in=keys[start : start + AT_ONCE]).order_by("id")
        for lookup, name in rows.values_list("lookup", "name"):
            found |= dict.fromkeys(wanted[lookup], name)
    return found
