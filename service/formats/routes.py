"""`POST /v1/imports`: a page, the dump of one, or its address becomes a draft article with its images and captions."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from service import conditional
from service.articles import read
from service.articles.models import ArticleRead
from service.auth import Writer
from service.database import SessionDep
from service.errors import BadRequest, Unprocessable, UnsupportedMediaType
from service.formats.importer import bring_in
from service.formats.pages import NotAnArticle, Page, read_dump, read_html
from service.formats.sources import fetch_page, fetch_pictures
from service.images.intake import KeptFile
from service.routing import Route
from service.tables import Shape, WebAddress

router = APIRouter(prefix="/v1/imports", tags=["imports"], route_class=Route)
LARGEST_PAGE = 16 * 1024 * 1024


class UnreadablePage(Unprocessable):
    """The page was received, but no article could be found on it."""

    title = "No article on this page"


class PageAddress(Shape):
    """The address of a page to fetch and import."""

    url: WebAddress


@dataclass(frozen=True, slots=True)
class Received:
    """A page, and the files of its pictures by their addresses."""

    page: Page
    files: dict[str, KeptFile]


async def receive_page(
    request: Request,
    caller: Writer,
    url: Annotated[WebAddress | None, Query(description="the address of the page that is sent")] = None,
    fetch_images: Annotated[bool, Query(description="fetch the pictures' files too")] = True,
) -> Received:
    """Read the page that was sent, or fetch the one that was named, and its pictures, before the transaction begins."""
    body = await request.body()
    media_type, _, parameters = request.headers.get("content-type", "").partition(";")
    charset = next(
        (part.split("=", 1)[1].strip(' "') for part in parameters.split(";") if part.strip().lower().startswith("charset=")), None
    )
    page = await run_in_threadpool(_read, request, media_type.strip().lower(), charset, body, url)
    files = await run_in_threadpool(fetch_pictures, request.app.state.intake, page) if fetch_images else {}
    return Received(page, files)


def _read(request: Request, media_type: str, charset: str | None, body: bytes, url: str | None) -> Page:
    try:
        match media_type:
            case "application/json":
                return fetch_page(request.app.state.settings, PageAddress.model_validate_json(body).url)
            case "text/html" | "application/xhtml+xml":
                return read_html(body, url, charset)
            case "text/plain":
                return read_dump(_text(body, charset))
    except NotAnArticle as fault:
        raise UnreadablePage(str(fault)) from None
    except ValidationError as error:
        first = error.errors()[0]
        if first["type"] == "json_invalid":
            raise BadRequest("The body is not JSON.") from None
        raise Unprocessable.at("/" + "/".join(str(part) for part in first["loc"]), first["msg"]) from None
    accepted = "application/json, text/html, text/plain"
    raise UnsupportedMediaType(f"Send one of {accepted}.", headers={"Accept": accepted})


def _text(body: bytes, charset: str | None) -> str:
    try:
        return body.decode(charset or "utf-8-sig")
    except (UnicodeDecodeError, LookupError):
        raise Unprocessable("The text is not in the character set that it is said to be in.") from None


@router.post("", status_code=201, response_model=ArticleRead, max_body_size=LARGEST_PAGE)
def import_page(
    request: Request,
    received: Annotated[Received, Depends(receive_page)],
    caller: Writer,
    session: SessionDep,
) -> Response:
    """Import a page. The same page again updates what it made."""
    imported = bring_in(session, caller, received.page, files=received.files)
    article = imported.article
    session.flush()
    shape = read.read_one(session, article)
    headers = {"Location": f"/v1/articles/{article.id}"}
    return conditional.answer(request, shape, article.version, status=201 if imported.created else 200, headers=headers)
