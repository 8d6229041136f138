"""A rule that did not hold."""

from __future__ import annotations


class Broken(AssertionError):
    """``rule`` is a stable word; the text says what was seen."""

    def __init__(self, rule: str, text: str) -> None:
        super().__init__(f"{rule}: {text}")
        self.rule = rule
        self.text = text
