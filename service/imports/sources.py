"""Sources of pages: an address, a file, or a folder of files."""

import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from service.errors import ServiceError
from service.images.intake import Intake, KeptFile
from service.imports.apart import read_apart
from service.imports.report import Unfetched
from service.newspages import Page, PictureBlock, read_dump, read_html, read_text
from service.newspages.received import Received
from service.outbound.fetch import Outbound
from service.settings import Settings

PATIENCE_SECONDS = 30
"""After this long no further picture of a page is fetched: an import is one request, and its caller waits."""
HTML_ENDINGS = (".html", ".htm", ".xhtml")
# A byte order mark and the nulls of UTF-16 may stand before and in the first tag.
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?[\s\x00]*<")


def fetch_page(settings: Settings, url: str) -> Page:
    """Fetch a page and read it. Raises what `outbound` and `read_apart` raise."""
    fetched = Outbound(settings).fetch(url, accept="text/html,application/xhtml+xml;q=0.9,text/plain;q=0.5")
    is_text = fetched.content_type == "text/plain"
    return read_apart(Received(fetched.body, is_text, fetched.url, fetched.charset))


def read_file(path: Path) -> Page:
    """Read a saved HTML page, or the text dump of one. Raises NotAnArticle."""
    content = path.read_bytes()
    if path.suffix.lower() in HTML_ENDINGS or _MARKUP.match(content):
        return read_html(content, None)
    return read_dump(read_text(content, None))


def expand(source: str) -> Iterator[str | Path]:
    """Yield an address or a file as it is, or the pages in a folder by the order of their names. Raises
    FileNotFoundError.
    """
    if source.startswith(("http://", "https://")):
        yield source
        return
    path = Path(source)
    if not path.exists():
        raise FileNotFoundError(f"There is no file or folder {source}.")
    if path.is_dir():
        yield from sorted(page for page in path.rglob("*") if page.suffix.lower() in (*HTML_ENDINGS, ".txt"))
    else:
        yield path


def read_source(settings: Settings, source: str | Path) -> Page:
    """Read a page from wherever it is."""
    return fetch_page(settings, source) if isinstance(source, str) else read_file(source)


@dataclass(frozen=True, slots=True)
class FetchedFiles:
    """The files of pictures by their addresses, and the pictures that could not be had."""

    kept: dict[str, KeptFile] = field(default_factory=dict)
    unfetched: list[Unfetched] = field(default_factory=list)


def fetch_pictures(intake: Intake, page: Page) -> FetchedFiles:
    """Fetch and keep the pictures of a page. One that cannot be had can be given later."""
    pictures = [block.picture for block in page.blocks if isinstance(block, PictureBlock)] + (
        [page.lead] if page.lead else []
    )
    return fetch_files(intake, [picture.url for picture in pictures if picture.url])


def fetch_files(intake: Intake, addresses: Iterable[str]) -> FetchedFiles:
    """Fetch and keep pictures, as many as can be had in half a minute."""
    found = FetchedFiles()
    ends_at = time.monotonic() + PATIENCE_SECONDS
    for url in dict.fromkeys(addresses):
        if time.monotonic() >= ends_at:
            found.unfetched.append(Unfetched(url=url, reason=f"{PATIENCE_SECONDS} seconds were over."))
            continue
        try:
            found.kept[url] = intake.fetch(url)
        except ServiceError as fault:
            found.unfetched.append(Unfetched(url=url, reason=fault.detail))
    return found
