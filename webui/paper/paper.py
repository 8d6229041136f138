"""A document that grows downwards: what is put on it goes where there is room, and on a new page where there is none.

It is drawn as it comes, row by row, so that a statement of ten thousand sessions takes little memory. Lengths are
points (1/72 inch), as reportlab counts; ``mm`` helps.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from django.utils.translation import get_language
from django.utils.translation import gettext as _
from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from webui.paper import fonts
from webui.paper.letterhead import Letterhead

INK, SOFT, LINE, ACCENT = HexColor("#13211c"), HexColor("#4b5a54"), HexColor("#c9d2cc"), HexColor("#00604a")
SUNK = HexColor("#eef1ec")
LEFT, RIGHT, TOP, BOTTOM = 20 * mm, 18 * mm, 16 * mm, 22 * mm
SIZE, SMALL, HEADING, TITLE = 9.0, 7.5, 11.5, 17.0
LEADING = 1.35
_TOTAL = "pages"  # a name in the PDF: no spaces
_MARK = "\x00"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. ``width`` is a share of what the others leave; ``right`` sets figures flush right."""

    title: str
    width: float
    right: bool = False


class Paper:
    """An A4 document; a context manager that writes ``path`` when it is left without an exception.

    Whatever text it is given may be anybody's. Raises OSError where the file cannot be written.
    """

    def __init__(self, path: Path, title: str, letterhead: Letterhead, *, subject: str = "") -> None:
        fonts.load()
        self.title, self.letterhead = fonts.printable(title), letterhead
        self.width, self.height = A4
        self.left, self.right = LEFT, self.width - RIGHT
        self.canvas = Canvas(str(path), pagesize=A4, pageCompression=1, initialFontName=fonts.REGULAR)
        self.canvas.setTitle(self.title)
        self.canvas.setAuthor(fonts.printable(letterhead.name))
        self.canvas.setSubject(fonts.printable(subject))
        self.canvas.setCreator("")
        self.canvas.setCatalogEntry("Lang", get_language() or "en")
        self.page = 1
        self.y = self.height - TOP
        self._table: Table | None = None
        self._head()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()

    def close(self) -> None:
        """End the last page and write the file."""
        self._end_page()
        self.canvas.beginForm(_TOTAL, 0, -3, 60, 12)
        self._write(str(self.page), 0, 0, SMALL, color=SOFT)
        self.canvas.endForm()
        self.canvas.save()

    # ------------------------------------------------------------------ what is put on it

    def heading(self, text: str) -> None:
        """A heading, which keeps some room below it for what it heads."""
        self.room(16 * mm)
        self.y -= 7 * mm
        self._write(fonts.printable(text), self.left, self.y, HEADING, bold=True)
        self.y -= 3 * mm

    def text(self, text: str, *, size: float = SIZE, bold: bool = False, color: Color = INK) -> None:
        """A paragraph over the whole width; line breaks in it stay."""
        for paragraph in str(text).split("\n"):
            for line in fonts.lines(fonts.printable(paragraph), size, self.right - self.left, bold=bold):
                self.room(size * LEADING)
                self.y -= size * LEADING
                self._write(line, self.left, self.y, size, bold=bold, color=color)
        self.gap(1.5 * mm)

    def pairs(self, pairs: Iterable[tuple[str, str]], *, label: float = 52 * mm) -> None:
        """Names and what they have, one under the other; ``label`` is the width of the names."""
        for name, value in pairs:
            names = fonts.lines(fonts.printable(str(name)), SIZE, label - 3 * mm)
            values = fonts.lines(fonts.printable(str(value)), SIZE, self.right - self.left - label)
            self.room(max(len(names), len(values)) * SIZE * LEADING + 1)
            for number in range(max(len(names), len(values))):
                self.y -= SIZE * LEADING
                if number < len(names):
                    self._write(names[number], self.left, self.y, SIZE, color=SOFT)
                if number < len(values):
                    self._write(values[number], self.left + label, self.y, SIZE)
            self.y -= 1
        self.gap(1.5 * mm)

    def table(self, columns: Sequence[Column]) -> Table:
        """A table, whose head is said again on every page; end it with ``Table.end`` before anything else comes."""
        self._table = Table(self, columns)
        return self._table

    def signature(self, *labels: str) -> None:
        """Lines to sign on, side by side."""
        self.room(26 * mm)
        self.y -= 20 * mm
        each = (self.right - self.left) / len(labels)
        for number, label in enumerate(labels):
            x = self.left + number * each
            self.rule(x, x + each - 8 * mm, color=INK)
            self._write(
                fonts.fitted(fonts.printable(label), SMALL, each - 8 * mm), x, self.y - 3.5 * mm, SMALL, color=SOFT
            )
        self.y -= 6 * mm

    def gap(self, height: float) -> None:
        """White space, unless the page ends here anyway."""
        self.y = max(self.y - height, BOTTOM)

    def room(self, height: float) -> None:
        """Go on to the next page where there is no room for ``height``. For those who draw on ``canvas`` themselves."""
        if self.y - height < BOTTOM:
            self.new_page()

    def rule(self, x: float, to: float, *, color: Color = LINE, width: float = 0.5) -> None:
        """A horizontal line at ``y``."""
        self.canvas.setStrokeColor(color)
        self.canvas.setLineWidth(width)
        self.canvas.line(x, self.y, to, self.y)

    def new_page(self) -> None:
        self._end_page()
        self.canvas.showPage()
        self.page += 1
        self.y = self.height - TOP
        self._write(
            fonts.fitted(self.title, SMALL, self.right - self.left), self.left, self.y - SMALL, SMALL, color=SOFT
        )
        self.y -= 6 * mm
        if self._table is not None:
            self._table.head()

    # ------------------------------------------------------------------ its edges

    def _head(self) -> None:
        canvas, mine = self.canvas, self.letterhead
        canvas.setFillColor(ACCENT)
        canvas.rect(0, self.height - 3 * mm, self.width, 3 * mm, stroke=0, fill=1)
        half = (self.right - self.left) * 0.6
        y = self.height - TOP - HEADING
        for line in fonts.lines(fonts.printable(mine.name), HEADING, half - 4 * mm, bold=True)[:3]:
            self._write(line, self.left, y, HEADING, bold=True)
            y -= HEADING * LEADING
        side = self.height - TOP - SMALL
        for line in mine.lines[:8]:
            told = fonts.fitted(fonts.printable(line), SMALL, self.right - self.left - half)
            self._write(told, self.right, side, SMALL, color=SOFT, flush_right=True)
            side -= SMALL * LEADING
        self.y = min(y, side, self.height - TOP - 16 * mm)
        for line in fonts.lines(self.title, TITLE, self.right - self.left, bold=True)[:3]:
            self.y -= TITLE * 1.25
            self._write(line, self.left, self.y, TITLE, bold=True)
        self.y -= 4 * mm

    def _end_page(self) -> None:
        y = BOTTOM - 10 * mm
        self.canvas.setStrokeColor(LINE)
        self.canvas.setLineWidth(0.5)
        self.canvas.line(self.left, y + 4 * mm, self.right, y + 4 * mm)
        told = _("Page %(page)d of %(pages)s") % {"page": self.page, "pages": _MARK}
        before, _mark, after = told.partition(_MARK)
        total = self.right - 9 * mm
        self._write(before, total, y, SMALL, color=SOFT, flush_right=True)
        # How many there are is known at the end only: a form that every page shows is filled in then.
        self.canvas.saveState()
        self.canvas.translate(total, y)
        self.canvas.doForm(_TOTAL)
        self.canvas.restoreState()
        if after.strip():
            self._write(after.strip(), self.right, y, SMALL, color=SOFT, flush_right=True)
        foot = self.letterhead.footer or self.letterhead.name
        room = total - self.left - 30 * mm
        self._write(fonts.fitted(fonts.printable(foot), SMALL, room), self.left, y, SMALL, color=SOFT)

    def _write(
        self,
        text: str,
        x: float,
        y: float,
        size: float,
        *,
        bold: bool = False,
        color: Color = INK,
        flush_right: bool = False,
    ) -> None:
        self.canvas.setFont(fonts.BOLD if bold else fonts.REGULAR, size)
        self.canvas.setFillColor(color)
        if flush_right:
            self.canvas.drawRightString(x, y, text)
        else:
            self.canvas.drawString(x, y, text)


class Table:
    """Rows under a head; made by ``Paper.table``."""

    PAD = 1.2 * mm

    def __init__(self, paper: Paper, columns: Sequence[Column]) -> None:
        self._paper, self._columns = paper, columns
        scale = (paper.right - paper.left) / sum(column.width for column in columns)
        self._widths = [column.width * scale for column in columns]
        paper.room(20 * mm)
        self.head()

    def head(self) -> None:
        """The titles of the columns."""
        self._row([column.title for column in self._columns], size=SMALL, bold=True, color=SOFT)
        self._paper.rule(self._paper.left, self._paper.right, color=SOFT, width=0.8)

    def row(self, cells: Sequence[str], *, bold: bool = False) -> None:
        """One row; what does not fit into a cell goes on below."""
        self._row(cells, size=SIZE - 0.5, bold=bold, color=INK)
        self._paper.rule(self._paper.left, self._paper.right)

    def group(self, text: str) -> None:
        """A line of its own over rows that belong together."""
        paper = self._paper
        paper.room(14 * mm)
        height = SIZE * LEADING + 2 * self.PAD
        paper.y -= height
        paper.canvas.setFillColor(SUNK)
        paper.canvas.rect(paper.left, paper.y, paper.right - paper.left, height, stroke=0, fill=1)
        told = fonts.fitted(fonts.printable(text), SIZE, paper.right - paper.left - 4 * mm, bold=True)
        paper._write(told, paper.left + self.PAD, paper.y + self.PAD + 1.5, SIZE, bold=True)

    def end(self) -> None:
        """No more rows; what is put on the paper from now on is below the table."""
        self._paper._table = None
        self._paper.gap(2 * mm)

    def _row(self, cells: Sequence[str], *, size: float, bold: bool, color: Color) -> None:
        paper = self._paper
        texts = [
            fonts.lines(fonts.printable(str(cell)), size, width - 2 * self.PAD, bold=bold)[:12]
            for cell, width in zip(cells, self._widths, strict=True)
        ]
        height = max(len(lines) for lines in texts) * size * LEADING + 2 * self.PAD
        paper.room(height)
        x, top = paper.left, paper.y
        for column, width, lines in zip(self._columns, self._widths, texts, strict=True):
            y = top - self.PAD - size
            for line in lines:
                if column.right:
                    paper._write(line, x + width - self.PAD, y, size, bold=bold, color=color, flush_right=True)
                else:
                    paper._write(line, x + self.PAD, y, size, bold=bold, color=color)
                y -= size * LEADING
            x += width
        paper.y = top - height
