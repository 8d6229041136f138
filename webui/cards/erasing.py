"""The names of cards are a customer's data, too: told (N09) and taken out (N10) with the rest.

Runs in the uplink, within its database transaction.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.dispatch import receiver

from station.domain.transaction import IdToken
from station.store import customers


def _cards(tokens: tuple[IdToken, ...]) -> QuerySet[Any]:
    from webui.cards.models import Card

    wanted = Q(pk=None)
    for token in tokens:
        wanted |= Q(lookup=token.id_token.casefold(), id_token_type=token.type)
    return Card.objects.filter(wanted)


@receiver(customers.asked)
def tell(sender: object, tokens: tuple[IdToken, ...], **rest: Any) -> list[tuple[Any, str]]:
    """When a card was named, and a line that says so."""
    return [
        (card.named_at, f"Card {card.id_token_type} {card.id_token} is named {card.name!r}. {card.note}".strip())
        for card in _cards(tokens)
    ]


@receiver(customers.erased)
def erase(sender: object, tokens: tuple[IdToken, ...], **rest: Any) -> None:
    """Forget the names."""
    if tokens:
        _cards(tokens).delete()
