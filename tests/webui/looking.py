"""Looking at pages as a browser under the strictest policy would."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

_ADDRESSES = {"src", "href", "action", "srcset", "poster", "data", "formaction", "hx-get", "hx-post", "ws-connect"}
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Looking(HTMLParser):
    """Collects what the policy would refuse, what refers to ids that are not there, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.refused: list[str] = []
        self.ids: list[str] = []
        self.referred: list[str] = []
        self.text: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given: dict[str, Any] = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in given):
            self.refused.append(f"<{tag}>")
        for name, value in given.items():
            if name == "style" or name.startswith(("on", "hx-on")) or (name == "hx-vals" and value.startswith("js")):
                self.refused.append(f"{tag} {name}={value}")
            if name in _ADDRESSES and value and (value.startswith(("//", "javascript:", "data:")) or "://" in value):
                self.refused.append(f"{tag} {name}={value}")
        if "id" in given:
            self.ids.append(given["id"])
        self.referred += str(given.get("aria-labelledby") or "").split()
        if given.get("for"):
            self.referred.append(given["for"])
        if tag == "a":
            self.links.append(given.get("href") or "")
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1] == tag, f"</{tag}> closes <{self.open[-1]}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    @property
    def words(self) -> str:
        """All text, with single spaces."""
        return " ".join(" ".join(self.text).split())


def look(html: str | bytes) -> Looking:
    """The page, which must be well-formed, harmless and consistent in itself."""
    page = Looking(html.decode() if isinstance(html, bytes) else html)
    assert page.refused == []
    assert page.open == []
    assert len(page.ids) == len(set(page.ids)), f"ids given twice: {sorted(page.ids)}"
    assert set(page.referred) <= set(page.ids), set(page.referred) - set(page.ids)
    return page
