"""The pictures of a page, each with its own words: caption, alternative text and credit kept apart.

A holder is the element that belongs to one picture as a whole: a `figure`, or the smallest element around an
image that also holds an element named as its caption.
"""

import re
from collections.abc import Collection
from itertools import islice
from urllib.parse import urlsplit

from lxml import etree
from lxml.html import HtmlElement

from service.newspages.addresses import FILE, IMAGES, picture_address
from service.newspages.captions import caption_and_credit, is_caption, name_of, named, short_text
from service.newspages.outline import emoji, web_address
from service.newspages.page import FoundPicture
from service.newspages.text import ends_sentence, key, tidy, words

_PICTURE_NAME = name_of(r"image|img|photo|picture|foto|figure|media|bild")
_ICON = name_of(r"icon|logo|avatar|emoji|badge|pixel")
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_TEASER = re.compile(
    r"(?:^|[\s_-])(?:teaser|card|headline|kicker|promo|story-?list|related|more)(?:$|[\s_-])"
)
_BACKGROUND = re.compile(r"background(?:-image)?:[^;:]{0,100}url\(['\"]?([^'\")]+)")
_ATTACHED = re.compile(r"(?:^|\s)(?:wp-image-\d+|wp-att-\d+|attachment-\w+)(?:\s|$)")
_OF_ITS_SIZE = re.compile(
    r"[-_]?\d{2,4}x\d{2,4}|\d{3,}|[-_](?:scaled|large|medium|small|thumb|mobile|desktop)", re.IGNORECASE
)
# A figure around any of these is no picture: its parts stand for themselves.
_OTHER_PARTS = frozenset({"blockquote", "table", "pre"})
_SMALLEST = 80
_LONGEST_ALT = 2_000
# Pictures and captions looked at on one page; galleries of a hundred are known.
_MOST = 400


def holders(body: HtmlElement, apart: Collection[HtmlElement] = ()) -> set[HtmlElement]:
    """Return the holders of the tree's pictures, none inside another, and none around what stands `apart`."""
    around = {ancestor for element in apart for ancestor in element.iterancestors()} | set(apart)
    figures = [
        figure
        for figure in islice(body.iter("figure"), _MOST)
        if figure not in around and _has_picture(figure)
    ]
    outer = {ancestor for figure in figures for ancestor in figure.iterancestors("figure")}
    single = [figure for figure in figures if figure not in outer and len(_pictures_in(figure)) < 2]
    found = set(single)
    taken = {element for figure in found for element in figure.iter()}
    for caption in islice((e for e in body.iter(etree.Element) if is_caption(e)), _MOST):
        if caption not in taken:
            # An element that is named for a caption and holds a picture is the frame of both.
            framed = caption.tag != "figcaption" and next(caption.iter(*IMAGES), None) is not None
            holder = caption if framed else _around(caption)
            _widen(found, taken, holder if holder is not None and holder not in around else None)
    for image in islice(body.iter(*IMAGES), _MOST):
        if image not in taken and emoji(image) is None and not _stands_in(image):
            holder = image if _in_link(image) or image in outer else _named_holder(image)
            _widen(found, taken, image if holder in around else holder)
    return found


def part_shared(body: HtmlElement) -> None:
    """Give each picture of a figure with several a figure of its own; the first keeps the caption of all."""
    for figure in islice(list(body.iter("figure")), _MOST):
        pictures = _pictures_in(figure)
        if len(pictures) < 2 or next(figure.iterdescendants("figure"), None) is not None:
            continue
        frames = [_frame_of(image, figure, pictures) for image in pictures]
        own_captions = {caption for frame in frames for caption in frame.iter("figcaption")}
        captions = [caption for caption in figure.iter("figcaption") if caption not in own_captions]
        for place, frame in enumerate(frames):
            own = figure.makeelement("figure")
            frame.addprevious(own)
            own.tail, frame.tail = frame.tail, None
            own.append(frame)
            for caption in captions if place == 0 else ():
                own.append(caption)
        figure.tag = "div"


def _frame_of(image: HtmlElement, figure: HtmlElement, pictures: list[HtmlElement]) -> HtmlElement:
    """Return the widest element inside the figure that holds this picture and none of the others."""
    frame = image
    for ancestor in image.iterancestors():
        if ancestor is figure or any(other is not image and other in pictures for other in ancestor.iter()):
            break
        frame = ancestor
    return frame


def _stands_in(image: HtmlElement) -> bool:
    """Return whether the picture is there for browsers without scripts, and another for the rest."""
    frame = next(image.iterancestors("noscript"), None)
    before = frame.getprevious() if frame is not None else None
    return before is not None and next(before.iter(*IMAGES), None) is not None


def _pictures_in(figure: HtmlElement) -> list[HtmlElement]:
    """Return the different pictures of a figure: what is one picture in two sizes counts once."""
    seen: dict[str, HtmlElement] = {}
    for image in islice(figure.iter(*IMAGES), 50):
        address = picture_address(image, "http://x/")
        width, height = _sides(image)
        if address is None or emoji(image) or _stands_in(image) or _is_icon(image, width, height):
            continue
        stem = _OF_ITS_SIZE.sub("", urlsplit(address).path.rsplit("/", 1)[-1])
        seen.setdefault(key(image.get("alt") or "") or stem, image)
    return list(seen.values())


def _widen(found: set[HtmlElement], taken: set[HtmlElement], holder: HtmlElement | None) -> None:
    """Add the holder, in the place of the one captionless figure it may hold."""
    inner = (
        [element for element in holder.iterdescendants() if element in found] if holder is not None else []
    )
    if holder is not None and len(inner) <= 1:
        found.difference_update(inner)
        found.add(holder)
        taken.update(holder.iter())


def _in_link(image: HtmlElement) -> bool:
    return any(True for _ in image.iterancestors("a"))


def _named_holder(image: HtmlElement) -> HtmlElement:
    """Return the widest element around the image alone that has some short text of its own, the image where
    none has.

    Running text may be the caption only where the element is named a picture; links, headings and lists
    never.
    """
    holder = image
    for ancestor in list(image.iterancestors())[:5]:
        if (
            ancestor.tag in {"body", "main", "article", "li", "td"}
            or next(islice(ancestor.iter("img"), 1, None), None) is not None
        ):
            break
        if any(True for _ in ancestor.iter("a", "h1", "h2", "h3", "h4", "li", "time")):
            break
        texts = short_text(ancestor)
        if words(texts) > 80:
            break
        plain_text = next(ancestor.iter("p"), None) is None
        if texts and (plain_text or _PICTURE_NAME.search(named(ancestor))):
            holder = ancestor
    return holder


def _has_picture(element: HtmlElement) -> bool:
    return (
        any(True for _ in element.iter(*IMAGES, "picture", "video", "source", "noscript"))
        or _background(element) is not None
        or (not any(True for _ in element.iter(*_OTHER_PARTS)) and not tidy(str(element.text_content())))
    )


def _background(element: HtmlElement) -> str | None:
    for inner in islice(element.iter(etree.Element), 50):
        found = _BACKGROUND.search((inner.get("style") or "")[:1000])
        if found:
            return found[1]
    return None


def _around(caption: HtmlElement) -> HtmlElement | None:
    """Return the smallest of the nearest ancestors that holds one image beside the caption and little other
    text.
    """
    own = len(short_text(caption))
    for ancestor in list(caption.iterancestors())[:4]:
        if ancestor.tag in {"body", "article", "main", "ul"}:
            return None
        images = any(True for _ in ancestor.iter(*IMAGES, "video"))
        whole = len(short_text(ancestor))
        if images or whole > 2 * own + 200:
            return ancestor if whole <= 2 * own + 200 else None
    parent = caption.getparent() if caption.tag == "figcaption" else None
    return parent if parent is not None and not any(True for _ in parent.iter(*_OTHER_PARTS)) else None


def picture(holder: HtmlElement, base: str | None) -> FoundPicture | None:
    """Return the holder's picture; None for icons, tracking pixels and teasers of other stories."""
    image = _best_image(holder)
    url = picture_address(image, base) if image is not None else _other_address(holder, base)
    told = caption_and_credit(holder)
    if told is None:
        return None
    caption, credit = told
    is_named = holder.tag == "figure" or any(map(is_caption, holder.iter(etree.Element)))
    if url is None and not is_named:
        return None
    width, height = _sides(image)
    if _is_teaser(holder, caption, credit, base):
        return None
    if caption is None and (url is None or _is_icon(image, width, height) or _leads_away(holder, base)):
        return None
    alt = tidy(image.get("alt") or "") if image is not None else ""
    return FoundPicture(url, alt if 0 < len(alt) <= _LONGEST_ALT else None, caption, credit, width, height)


def _best_image(holder: HtmlElement) -> HtmlElement | None:
    images = list(holder.iter(*IMAGES))
    return next(
        (image for image in images if picture_address(image, "http://x/")), images[0] if images else None
    )


def _other_address(holder: HtmlElement, base: str | None) -> str | None:
    """Return the address of a picture without an element of its own: a background, or what a video shows
    first.
    """
    poster = next((video.get("poster") for video in holder.iter("video") if video.get("poster")), None)
    source = next((s for frame in holder.iter("picture") for s in frame.iter("source")), None)
    drawn = picture_address(source, base) if source is not None else None
    return drawn or web_address(_background(holder) or poster, base)


def _sides(image: HtmlElement | None) -> tuple[int | None, int | None]:
    """Return width and height in pixels as stated; two small numbers that differ are a ratio ("16" by "9")
    and no size.
    """
    stated = [(image.get(side) or "") if image is not None else "" for side in ("width", "height")]
    width, height = (int(side) if re.fullmatch(r"[1-9]\d{0,4}", side, re.ASCII) else None for side in stated)
    if width and height and width != height and max(width, height) <= 20:
        return None, None
    return width, height


def _is_icon(image: HtmlElement | None, width: int | None, height: int | None) -> bool:
    if max(width or _SMALLEST, height or _SMALLEST) < _SMALLEST or 1 in {width, height}:
        return True
    return image is not None and _ICON.search(named(image)) is not None


def _is_teaser(holder: HtmlElement, caption: str | None, credit: str | None, base: str | None) -> bool:
    """Return whether picture and words together are a link to another story of the site."""
    if caption is None or credit is not None or ends_sentence(caption):
        return False
    headed = any(
        element.tag in _HEADINGS or _TEASER.search(named(element))
        for element in (*islice(holder.iter(etree.Element), 60), *islice(holder.iterancestors(), 3))
    )
    if not headed:
        return False
    image = _best_image(holder)
    linked = image is not None and _in_link(image)
    said = [tidy(str(link.text_content())) for link in (*holder.iterancestors("a"), *holder.iter("a"))]
    return linked and any(key(caption) in key(text) for text in said) and _leads_away(holder, base)


def _leads_away(holder: HtmlElement, base: str | None) -> bool:
    """Return whether the picture is a link to another page rather than to its own larger file."""
    around = (
        e
        for e in (holder, *holder.iterancestors(), *holder.iterdescendants("a"))
        if e.tag == "a" and e.get("href")
    )
    link = next(around, None)
    if link is None:
        return False
    target, here = urlsplit(web_address(link.get("href"), base) or ""), urlsplit(base or "")
    if _site(target.hostname) != _site(here.hostname) and here.hostname:
        # A link to another host leads to a product that is sold there; a link to another story stays on the
        # site.
        return False
    return (
        not FILE.search(target.path) and target.path != here.path and not _is_attachment(holder, target.path)
    )


def _site(host: str | None) -> str:
    """Return the last two labels of a host, near enough to who keeps it."""
    return ".".join((host or "").split(".")[-2:])


def _is_attachment(holder: HtmlElement, path: str) -> bool:
    """Return whether the page that the picture leads to is the picture's own."""
    image = next(holder.iter(*IMAGES), None)
    if image is None:
        return False
    file = key(_OF_ITS_SIZE.sub("", urlsplit(image.get("src") or "").path.rsplit("/", 1)[-1]))
    named = key(_OF_ITS_SIZE.sub("", path.rstrip("/").rsplit("/", 1)[-1]))
    return _ATTACHED.search(image.get("class") or "") is not None or (len(named) > 2 and named in file)
