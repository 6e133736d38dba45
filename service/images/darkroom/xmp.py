"""XMP packets (ISO 16684-1): the simple properties, arrays and language alternatives of those that came, and
a new one with rights alone.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from lxml import etree

from service.images.darkroom.jobs import Rights

RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
DC: Final = "http://purl.org/dc/elements/1.1/"
PHOTOSHOP: Final = "http://ns.adobe.com/photoshop/1.0/"
XMP_RIGHTS: Final = "http://ns.adobe.com/xap/1.0/rights/"
CORE: Final = "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"
EXT: Final = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
PLUS: Final = "http://ns.useplus.org/ldf/xmp/1.0/"
_META: Final = "adobe:ns:meta/"
_LANGUAGE: Final = "{http://www.w3.org/XML/1998/namespace}lang"
_ARRAYS = (f"{{{RDF}}}Alt", f"{{{RDF}}}Seq", f"{{{RDF}}}Bag")
_CLARK = "{{{}}}{}".format
_MOST_ITEMS = 500
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")
_FORBIDDEN: Final = bytes(sorted({*range(32)} - set(b"\t\r\n")))
_LONE_AMPERSAND: Final = re.compile(rb"&(?!#?\w{1,10};)")


@dataclass(frozen=True, slots=True)
class XmpValue:
    """One value of a property, and its language where the packet names one (`x-default` is none)."""

    text: str
    language: str | None = None


class Packet:
    """The properties of a file's packets: each is that of the first packet which has it. One that is not XML
    has none.
    """

    def __init__(self, sources: Iterable[bytes]) -> None:
        self._roots = [root for root in map(_parse, sources) if root is not None]

    def items(self, namespace: str, name: str) -> list[XmpValue]:
        """Return the values of a property in their order."""
        return [item for item in self._values(namespace, name) if item.text][:_MOST_ITEMS]

    def text(self, namespace: str, name: str) -> str | None:
        """Return the value of a property; of language alternatives the default."""
        found = self.items(namespace, name)
        return next((item.text for item in found if item.language is None), found[0].text if found else None)

    def field(self, namespace: str, structure: str, name: str) -> str | None:
        """Return the first value of a field in a structure, such as the city of `LocationCreated`."""
        key = _CLARK(namespace, name)
        for node in (node for root in self._roots for node in root.iter(_CLARK(namespace, structure))):
            for inner in node.iter():
                if inner.tag == key:
                    return next((item.text for item in _of_element(inner) if item.text), None)
                if key in inner.attrib:
                    return inner.attrib[key].strip() or None
        return None

    def _values(self, namespace: str, name: str) -> list[XmpValue]:
        key = _CLARK(namespace, name)
        return next(filter(None, (list(_of_root(root, key)) for root in self._roots)), [])


def _parse(source: bytes) -> etree._Element | None:
    """Read a packet. Of one that is not well-formed, read what can be."""
    packet = source if source.startswith(_UTF16) else source.strip(b"\x00 \t\r\n\xef\xbb\xbf")
    whole = _tree(packet, recover=False)
    if whole is not None:
        return whole
    return _tree(_LONE_AMPERSAND.sub(b"&amp;", packet).translate(None, _FORBIDDEN), recover=True)


def _tree(packet: bytes, *, recover: bool) -> etree._Element | None:
    # No entities, no network, no DTD; lxml refuses deep trees and huge texts by itself.
    parser = etree.XMLParser(
        recover=recover,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        return etree.fromstring(packet, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


def _of_root(root: etree._Element, key: str) -> Iterator[XmpValue]:
    # `x:xmpmeta` around it is optional.
    for rdf in root.iter(_CLARK(RDF, "RDF")):
        for description in rdf.iterfind(_CLARK(RDF, "Description")):
            if key in description.attrib:
                yield XmpValue(description.attrib[key].strip())
            for element in description.iterfind(key):
                yield from _of_element(element)


def _of_element(element: etree._Element) -> Iterator[XmpValue]:
    array = next((child for child in element if child.tag in _ARRAYS), None)
    if array is None:
        yield XmpValue(_text(element))
        return
    for item in array.iterfind(_CLARK(RDF, "li")):
        language = item.attrib.get(_LANGUAGE, "x-default").strip()
        yield XmpValue(_text(item), None if language.lower() in ("x-default", "") else language)


def _text(element: etree._Element) -> str:
    """Return a simple value: as it is, as an address, or with qualifiers around it (ISO 16684-1, 7.8)."""
    value = next(element.iter(_CLARK(RDF, "value")), element)
    return (value.text or "").strip() or value.attrib.get(_CLARK(RDF, "resource"), "")


def write(rights: Rights) -> bytes:
    """Return a packet that says nothing but rights; empty when there are none."""
    description = etree.Element(
        _CLARK(RDF, "Description"),
        nsmap={"dc": DC, "photoshop": PHOTOSHOP, "Iptc4xmpExt": EXT, "xmpRights": XMP_RIGHTS, "plus": PLUS},
    )
    description.set(_CLARK(RDF, "about"), "")
    if rights.creator:
        names = etree.SubElement(etree.SubElement(description, _CLARK(DC, "creator")), _CLARK(RDF, "Seq"))
        for name in rights.creator:
            etree.SubElement(names, _CLARK(RDF, "li")).text = name
    if rights.credit_line:
        etree.SubElement(description, _CLARK(PHOTOSHOP, "Credit")).text = rights.credit_line
    if rights.copyright_notice:
        notice = etree.SubElement(etree.SubElement(description, _CLARK(DC, "rights")), _CLARK(RDF, "Alt"))
        item = etree.SubElement(notice, _CLARK(RDF, "li"))
        item.set(_LANGUAGE, "x-default")
        item.text = rights.copyright_notice
    if rights.digital_source_type:
        etree.SubElement(description, _CLARK(EXT, "DigitalSourceType")).text = rights.digital_source_type
    if rights.web_statement:
        etree.SubElement(description, _CLARK(XMP_RIGHTS, "WebStatement")).text = rights.web_statement
    _write_licensor(description, rights)
    if len(description) == 0:
        return b""
    meta = etree.Element(_CLARK(_META, "xmpmeta"), nsmap={"x": _META, "rdf": RDF})
    etree.SubElement(meta, _CLARK(RDF, "RDF")).append(description)
    return (
        b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        + etree.tostring(meta, encoding="UTF-8")
        + b'<?xpacket end="r"?>'
    )


def _write_licensor(description: etree._Element, rights: Rights) -> None:
    fields = {"LicensorName": rights.licensor_name, "LicensorURL": rights.licensor_url}
    if any(fields.values()):
        several = etree.SubElement(
            etree.SubElement(description, _CLARK(PLUS, "Licensor")), _CLARK(RDF, "Seq")
        )
        licensor = etree.SubElement(several, _CLARK(RDF, "li"), {_CLARK(RDF, "parseType"): "Resource"})
        for name, text in fields.items():
            if text:
                etree.SubElement(licensor, _CLARK(PLUS, name)).text = text
