"""Read embeds from other hosts: videos, sounds and posts, each by the address of its own page there."""

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from lxml.html import HtmlElement

from service.newspages.outline import web_address

_YOUTUBE = re.compile(r"(?:[\w-]+\.)*youtube(?:-nocookie)?\.com|youtu\.be")
_YOUTUBE_ID = re.compile(r"/(?:embed|v|shorts|live)/([\w-]{6,20})|^/([\w-]{6,20})$")
_VIMEO = re.compile(r"(?:www\.|player\.)?vimeo\.com")
_IDS = (
    "data-videoid",
    "videoid",
    "data-youtube-id",
    "data-youtube-video-id",
    "data-tweetid",
    "data-tweet-id",
)
_POST_HOSTS = re.compile(
    r"(?:(?:www|mobile)\.)?(?:twitter|x)\.com|www\.instagram\.com|www\.tiktok\.com|bsky\.app|www\.facebook\.com"
)
_POSTS = re.compile(r"/status/\d+|/(?:p|reel|video|post|posts|videos)/[\w-]+")
_POST_NAMES = re.compile(
    r"(?:^|\s)(?:twitter-tweet|twitter-video|instagram-media|tiktok-embed|bluesky-embed|fb-post|fb-video)"
)
_PLAYERS = re.compile(
    r"player\.vimeo\.com|open\.spotify\.com|w\.soundcloud\.com|(?:www\.)?dailymotion\.com|geo\.dailymotion\.com"
    r"|platform\.twitter\.com|embed\.podcasts\.apple\.com|datawrapper\.dwcdn\.net"
)
_ADDRESSES = ("src", "data-src", "data-lazy-src", "data-original", "data-url")


def embed_address(element: HtmlElement, base: str | None) -> str | None:
    """Return the https address of what the element shows from another host, None when it shows
    nothing known.
    """
    reader = _READERS.get(str(element.tag))
    found = reader(element, base) if reader else None
    return f"https{found.removeprefix('http').removeprefix('s')}" if found else None


def _frame(element: HtmlElement, base: str | None) -> str | None:
    for name in _ADDRESSES:
        address = web_address(element.get(name), base)
        if address is not None:
            return _canonical(address)
    return None


def _canonical(address: str) -> str | None:
    """Return the address under which the host itself shows it, None for hosts that are not known."""
    parts = urlsplit(address)
    host, query = (parts.hostname or "").lower(), parse_qs(parts.query)
    if _YOUTUBE.fullmatch(host):
        found = _YOUTUBE_ID.search(parts.path)
        named = query.get("v", query.get("vi", [""]))[0] or ((found[1] or found[2]) if found else "")
        return f"https://www.youtube.com/watch?v={named}" if named and named != "videoseries" else None
    if host == "platform.twitter.com":
        return f"https://x.com/i/status/{query['id'][0]}" if query.get("id") else None
    if _VIMEO.fullmatch(host) and (found := re.fullmatch(r"/(?:video/)?(\d{5,12})(?:/\w+)?", parts.path)):
        return f"https://player.vimeo.com/video/{found[1]}"
    if host == "www.facebook.com" and query.get("href"):
        return web_address(query["href"][0], None)
    return (
        address
        if _PLAYERS.fullmatch(host) or (_POST_HOSTS.fullmatch(host) and _POSTS.search(parts.path))
        else None
    )


def _bare(element: HtmlElement, base: str | None) -> str | None:
    """Return the address that is all a block says: the page's own software makes a player of it."""
    said = (element.text or "").strip()
    alone = len(element) == 0 and said.startswith("http") and len(said.split()) == 1
    return _canonical(said) if alone and web_address(said, base) else None


def _division(element: HtmlElement, base: str | None) -> str | None:
    return _by_id(element, base) or _bare(element, base) or _post(element, base)


def _post(element: HtmlElement, base: str | None) -> str | None:
    """Return the address of a post that is quoted until a script paints it."""
    if not _POST_NAMES.search(element.get("class") or ""):
        return None
    stated = [element.get(name) for name in ("cite", "data-instgrm-permalink", "data-href", "data-url")]
    links = [link.get("href") for link in element.iter("a")]
    for href in (*stated, *reversed(links)):
        address = web_address(href, base)
        parts = urlsplit(address or "")
        if address and _POST_HOSTS.fullmatch(parts.hostname or "") and _POSTS.search(parts.path):
            return parts._replace(query="", fragment="").geturl()
    return None


def _by_id(element: HtmlElement, _base: str | None) -> str | None:
    stated = next((name for name in _IDS if element.get(name)), None)
    named = element.get(stated) if stated else None
    if stated is None or named is None or not re.fullmatch(r"[\w-]{6,25}", named):
        return None
    site = "https://x.com/i/status/" if "tweet" in stated else "https://www.youtube.com/watch?v="
    return site + named


_READERS: dict[str, Callable[[HtmlElement, str | None], str | None]] = {
    "iframe": _frame,
    "amp-iframe": _frame,
    "embed": _frame,
    "blockquote": _post,
    "div": _division,
    "p": _bare,
    "figure": _bare,
    "amp-youtube": _by_id,
    "amp-twitter": _by_id,
    "lite-youtube": _by_id,
    "youtube-video": _by_id,
}
HOSTS_OTHERS = tuple(_READERS)
"""The elements that may show something of another host."""
