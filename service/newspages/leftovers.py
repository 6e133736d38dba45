"""List the text among an article's that was left out of it, so that an import can report it."""

from collections.abc import Iterable, Iterator

from lxml.html import HtmlElement

from service.newspages.addresses import picture_address
from service.newspages.bylines import byline_names, story_credit
from service.newspages.dates import date_line
from service.newspages.outline import Unit, web_address
from service.newspages.page import Dropped

_LONGEST = 120
_MOST = 100
_SILENT = {
    "iframe": "embed",
    "amp-iframe": "embed",
    "object": "embed",
    "embed": "embed",
    "video": "video",
    "audio": "audio",
}


def leftovers(
    units: Iterable[Unit], kept: Iterable[Unit], container: HtmlElement | None, base: str | None
) -> tuple[Dropped, ...]:
    """Return what of the units is not kept, and what the container shows that no unit can hold."""
    staying = {id(unit) for unit in kept}
    shown = {unit.whole for unit in kept if unit.whole is not None}
    found = [_of_unit(unit, base) for unit in units if id(unit) not in staying and not _is_fact(unit)]
    found += _unread(container, shown, base) if container is not None else []
    return tuple(dict.fromkeys(each for each in found if each.where))[:_MOST]


def _is_fact(unit: Unit) -> bool:
    """Return whether the article says it elsewhere: when it was published, by whom, with whose help."""
    return unit.is_text and bool(date_line(unit.text) or byline_names(unit.text) or story_credit(unit.text))


def _of_unit(unit: Unit, base: str | None) -> Dropped:
    if unit.holder is not None:
        image = next(unit.holder.iter("img", "amp-img"), None)
        return Dropped("picture", (picture_address(image, base) if image is not None else None) or "")
    if unit.whole is not None and unit.whole.tag not in {"table", "pre"}:
        return Dropped("embed", _address(unit.whole, base))
    is_table = unit.whole is not None and unit.whole.tag == "table"
    return Dropped("table" if is_table else "text", unit.text[:_LONGEST])


def _unread(container: HtmlElement, shown: set[HtmlElement], base: str | None) -> Iterator[Dropped]:
    for element in container.iter(*_SILENT):
        if element not in shown:
            yield Dropped(_SILENT[str(element.tag)], _address(element, base))


def _address(element: HtmlElement, base: str | None) -> str:
    stated = [element.get(name) for name in ("src", "data-src", "data", "poster")]
    stated += [source.get("src") for source in element.iter("source")]
    return next(filter(None, (web_address(address, base) for address in stated)), "")
