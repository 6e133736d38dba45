"""Read tables of data row by row, and tell them from tables that only lay a page out."""

from collections.abc import Callable, Iterator
from itertools import islice

from lxml.html import HtmlElement

from service.newspages.page import Table
from service.newspages.text import tidy, words

_NO_CELL = frozenset(
    {"table", "figure", "img", "picture", "iframe", "form", "h1", "h2", "blockquote", "article"}
)
_MOST_COLUMNS = 50
_MOST_ROWS = 500
_MOST_CELLS = 5_000
# A cell holds a figure, a name or a remark. Where cells hold this many words, they are columns of text.
_LONGEST_CELL = 60


def is_data(table: HtmlElement) -> bool:
    """Return whether the table relates its cells to each other, and is not there to place things."""
    if table.tag != "table" or table.get("role") in {"presentation", "none"}:
        return False
    if any(element.tag in _NO_CELL for element in islice(table.iterdescendants(), 20_000)):
        return False
    rows = [list(_cells(row)) for row in _rows(table)]
    wide = [row for row in rows if len(row) > 1]
    if len(wide) * 2 < len(rows) or not wide or max(map(len, rows)) > _MOST_COLUMNS:
        return False
    headed = next(table.iter("th", "thead", "caption"), None) is not None
    filled = [tidy(str(cell.text_content())) for row in rows for cell in row]
    long = sum(words(text) > _LONGEST_CELL for text in filled)
    return any(filled) and (headed or len(wide) > 1 or len(rows) == 1) and long * 4 <= len(filled)


def fits(table: HtmlElement) -> bool:
    """Return whether no row of the table has more cells than a block holds."""
    return all(sum(1 for _ in _cells(row)) <= _MOST_COLUMNS for row in _rows(table))


def tables(table: HtmlElement, inline: Callable[[HtmlElement], str]) -> Iterator[Table]:
    """Read a table, in as many parts as it takes to keep each within what the store holds. `inline` gives a
    cell's html.
    """
    caption = next(table.iter("caption"), None)
    said = tidy(str(caption.text_content()))[:500] if caption is not None else ""
    heads: list[tuple[str, ...]] = []
    rows: list[tuple[str, ...]] = []
    for row in _rows(table):
        cells = list(_cells(row))
        is_head = not rows and (
            all(cell.tag == "th" for cell in cells) or any(e.tag == "thead" for e in row.iterancestors())
        )
        (heads if is_head and len(heads) < 20 else rows).append(tuple(map(inline, cells)))
    rows, heads = (rows, heads) if rows else (heads, [])
    widest = max((len(row) for row in (*heads, *rows)), default=1)
    step = max(1, min(_MOST_ROWS, _MOST_CELLS // widest - len(heads)))
    for start in range(0, len(rows), step):
        yield Table(tuple(rows[start : start + step]), tuple(heads), said or None)


def _rows(table: HtmlElement) -> Iterator[HtmlElement]:
    return (row for row in table.iter("tr") if len(row))


def _cells(row: HtmlElement) -> Iterator[HtmlElement]:
    return (cell for cell in row if cell.tag in {"td", "th"})
