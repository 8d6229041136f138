"""Why a notice did not get through."""

from __future__ import annotations


class Failed(Exception):
    """``word`` is a stable word that the web interface has a sentence for; ``detail`` the other side's own words."""

    def __init__(self, word: str, detail: object = "") -> None:
        super().__init__(f"{word}: {detail}")
        self.word = word
        self.detail = " ".join(str(detail).split())
