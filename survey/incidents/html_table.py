"""The rows of an HTML table, for web exports that are named .xls and are none."""

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import TextIO

_CHUNK = 1 << 16
_LONGEST_CELL = 10_000


def rows_of_first_table(file: TextIO) -> Iterator[tuple[str, ...]]:
    """The cells of each row, text only, in constant memory."""
    parser = _TableParser()
    while chunk := file.read(_CHUNK):
        parser.feed(chunk)
        yield from parser.take()
        if parser.finished:
            return
    parser.close()
    yield from parser.take()


class _TableParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.finished = False
        self._rows: list[tuple[str, ...]] = []
        self._cells: list[str] | None = None
        self._text: list[str] | None = None

    def take(self) -> list[tuple[str, ...]]:
        rows, self._rows = self._rows, []
        return rows

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.finished:
            return
        if tag == "tr":
            self._end_row()
            self._cells = []
        elif tag in ("td", "th") and self._cells is not None:
            self._end_cell()
            self._text = []
        elif tag == "br" and self._text is not None:
            self._text.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._end_cell()
        elif tag in ("tr", "table"):
            self._end_row()
            self.finished = self.finished or tag == "table"

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def close(self) -> None:
        super().close()
        self._end_row()

    def _end_cell(self) -> None:
        if self._cells is not None and self._text is not None:
            self._cells.append(" ".join("".join(self._text).split())[:_LONGEST_CELL])
        self._text = None

    def _end_row(self) -> None:
        self._end_cell()
        if self._cells:
            self._rows.append(tuple(self._cells))
        self._cells = None
