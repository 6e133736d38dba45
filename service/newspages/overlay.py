"""The cookie banner in a page's markup: the element that is named one, read line by line as a dump is."""

import re
from itertools import islice

from lxml import etree
from lxml.html import HtmlElement

from service.newspages.banner import take_banner
from service.newspages.page import Banner
from service.newspages.text import tidy_lines

_NAMED = re.compile(
    r"cookie|consent|gdpr|rgpd|privacy-?(?:banner|notice|bar|popup|overlay)|(?:^|[\s_-])cmp(?:$|[\s_-])",
    re.IGNORECASE,
)
_LINES = frozenset(
    "p div h1 h2 h3 h4 h5 h6 li ul section header footer button br dialog form td tr a label".split()
)
_MOST_ELEMENTS = 400
_MOST_CANDIDATES = 30


def banner_in(tree: HtmlElement) -> Banner | None:
    """Return the page's cookie banner in its own words, None when its markup has none (scripts often bring it
    later).
    """
    elements = tree.iter("div", "section", "aside", "dialog", "form", "footer", "p")
    for element in islice(filter(_may_ask, elements), _MOST_CANDIDATES):
        banner, _ = take_banner(tidy_lines(_lines(element)))
        if banner is not None and banner.accept_label:
            return banner
    return None


def _may_ask(element: HtmlElement) -> bool:
    given = " ".join(element.get(name) or "" for name in ("id", "class", "aria-label"))
    return (
        element.tag == "dialog"
        or element.get("role") in {"dialog", "alertdialog"}
        or _NAMED.search(given) is not None
    )


def _lines(element: HtmlElement) -> str:
    """Return the element's text, a line for every block, button and link that stands alone."""
    parts: list[str] = []
    walk = etree.iterwalk(element, events=("start", "end"))
    for count, (event, inner) in enumerate(walk):
        if count > _MOST_ELEMENTS:
            return ""
        alone = inner.tag in _LINES and not (inner.tag == "a" and _in_sentence(inner))
        if event == "start" and inner.tag in {"script", "style", "template", "svg"}:
            walk.skip_subtree()
            continue
        if event == "start":
            parts.append(("\n" if alone else "") + re.sub(r"\s+", " ", inner.text or ""))
        else:
            parts.append(
                ("\n" if alone else "")
                + (re.sub(r"\s+", " ", inner.tail or "") if inner is not element else "")
            )
    return "".join(parts)


def _in_sentence(link: HtmlElement) -> bool:
    """Return whether text runs on around the link."""
    parent = link.getparent()
    before = link.getprevious()
    said = (before.tail if before is not None else parent.text if parent is not None else "") or ""
    return bool(said.strip() or (link.tail or "").strip())
