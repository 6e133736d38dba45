"""Pictures in RSS and Atom, as Media RSS 1.5.1 writes them: with caption, credit and rights."""

from collections.abc import Iterable

from lxml import etree

from service.formats.feeds.feed import FeedPicture
from service.formats.xml import element

MEDIA = "http://search.yahoo.com/mrss/"


def add_pictures(parent: etree._Element, pictures: Iterable[FeedPicture]) -> None:
    """Add each picture as `media:content`."""
    for picture in pictures:
        _add(parent, picture)


def _add(parent: etree._Element, picture: FeedPicture) -> None:
    shown, caption, image = picture.shown, picture.caption, picture.image
    content = element(
        parent,
        f"{{{MEDIA}}}content",
        attributes={
            "url": shown.href,
            "type": shown.content_type,
            "medium": "image",
            "width": str(shown.width),
            "height": str(shown.height),
            "lang": caption.language if caption else None,
        },
    )
    if caption is not None and caption.alt_text:
        element(content, f"{{{MEDIA}}}title", caption.alt_text, {"type": "plain"})
    if caption is not None and caption.text:
        element(content, f"{{{MEDIA}}}description", caption.text, {"type": "plain"})
    if image.credit_line:
        element(content, f"{{{MEDIA}}}credit", image.credit_line)
    if image.copyright_notice:
        element(content, f"{{{MEDIA}}}copyright", image.copyright_notice)
