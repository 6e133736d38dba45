"""XML is written with lxml, which escapes and checks; what no XML document may hold is left out here."""

import re
from collections.abc import Iterable, Mapping

from lxml import etree

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def element(
    parent: etree._Element,
    name: str,
    text: str | None = None,
    attributes: Mapping[str, str | None] | None = None,
) -> etree._Element:
    """Add an element; attributes that are None are left out. `name` is local, or `{namespace}local`."""
    given = {key: allowed(value) for key, value in (attributes or {}).items() if value is not None}
    made = etree.SubElement(parent, name, given)
    made.text = None if text is None else allowed(text)
    return made


def allowed(text: str) -> str:
    """Text without the characters that XML 1.0 (2.2) has no way to write."""
    return _FORBIDDEN.sub("", text)


def inside(root: etree._Element) -> bytes:
    """Return what is written between the tags of an element, in UTF-8: without its namespaces."""
    whole: bytes = etree.tostring(root, encoding="UTF-8")
    return whole[whole.index(b">") + 1 : whole.rindex(b"</")]


def filled(root: etree._Element, end: bytes, parts: Iterable[bytes]) -> bytes:
    """Return the document with written parts before the tags that end it."""
    whole = written(root)
    assert whole.endswith(end)
    return b"".join([whole.removesuffix(end), *parts, end])


def written(root: etree._Element) -> bytes:
    """Return the document, in UTF-8 and with its declaration."""
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")
