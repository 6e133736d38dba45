"""`POST /v1/imports`: a page, the dump of one, its address, or a ninjs object becomes a draft article with
its images and captions.
"""

import codecs
from dataclasses import dataclass
from typing import Annotated

import anyio
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import JsonValue, ValidationError

from service.articles import read as articles
from service.database import SessionDep
from service.errors import Unprocessable, UnsupportedMediaType, errors_of
from service.formats.ninjs.models import Ninjs
from service.formats.ninjs.read import NinjsItem, read
from service.http import acknowledging
from service.http.acknowledging import Acknowledgement
from service.http.bodies import parsed
from service.http.callers import StaffWriter
from service.http.negotiation import media_type
from service.http.problems import pointer_to
from service.http.routing import Route
from service.images.intake import Intake
from service.imports import ninjs as importing
from service.imports.apart import read_apart
from service.imports.importer import bring_in
from service.imports.report import ImportedArticle, with_report
from service.imports.sources import FetchedFiles, fetch_files, fetch_page, fetch_pictures
from service.newspages import NotAnArticle, Page
from service.newspages.received import Received as Sent
from service.published.forms import MEDIA_TYPES, Form
from service.services import service
from service.settings import Settings
from service.tables import Shape, WebAddress

router = APIRouter(prefix="/v1/imports", tags=["imports"], route_class=Route)
NINJS = (MEDIA_TYPES[Form.NINJS], "application/vnd.iptc.ninjs+json")
"""The media types under which ninjs is sent; IPTC has registered none."""
LARGEST_PAGE = 16 * 1024 * 1024


class UnreadablePage(Unprocessable):
    """The page was received, but no article could be found on it."""

    title = "No article on this page"


class PageAddress(Shape):
    """The address of a page to fetch and import."""

    url: WebAddress


@dataclass(frozen=True, slots=True)
class Received:
    """A page or item, and the files of its pictures by their addresses."""

    page: Page | NinjsItem
    files: FetchedFiles


async def receive_page(
    request: Request,
    caller: StaffWriter,
    url: Annotated[
        WebAddress | None,
        Query(description="the address of the page that is sent, or, without a body, to fetch"),
    ] = None,
    fetch_images: Annotated[bool, Query(description="fetch the pictures' files too")] = True,
) -> Received:
    """Read the page that was sent, or fetch the one that was named, and its pictures, before the transaction
    begins.
    """
    body = await request.body()
    _, _, parameters = request.headers.get("content-type", "").partition(";")
    charset = next(
        (
            part.split("=", 1)[1].strip(' "')
            for part in parameters.split(";")
            if part.strip().lower().startswith("charset=")
        ),
        None,
    )
    # A slow website holds these threads for half a minute: they are not those that answer for articles.
    intake = service(request, Intake)
    page = await anyio.to_thread.run_sync(
        _read, request, media_type(request), charset, body, url, limiter=intake.fetching
    )
    files = (
        await anyio.to_thread.run_sync(_fetch, intake, page, limiter=intake.fetching)
        if fetch_images
        else FetchedFiles()
    )
    return Received(page, files)


def _fetch(intake: Intake, page: Page | NinjsItem) -> FetchedFiles:
    return (
        fetch_files(intake, page.addresses()) if isinstance(page, NinjsItem) else fetch_pictures(intake, page)
    )


def _read(
    request: Request, media_type: str, charset: str | None, body: bytes, url: str | None
) -> Page | NinjsItem:
    text, said = body.removeprefix(codecs.BOM_UTF8), None
    try:
        match media_type:
            case "" if url is not None and not body:
                return fetch_page(service(request, Settings), url)
            case _ if media_type == "application/json" or media_type in NINJS:
                said = parsed(text)
                if media_type in NINJS or (isinstance(said, dict) and "uri" in said):
                    # Rather than an address: the standard asks for a `uri`.
                    return read(Ninjs.model_validate_json(text))
                return fetch_page(service(request, Settings), PageAddress.model_validate(said).url)
            case "text/html" | "application/xhtml+xml":
                return read_apart(Sent(body, is_text=False, url=url, charset=charset))
            case "text/plain":
                return read_apart(Sent(body, is_text=True, url=None, charset=charset))
    except NotAnArticle as fault:
        raise UnreadablePage(str(fault)) from None
    except ValidationError as error:
        raise _refused(error, said) from None
    accepted = f"application/json, text/html, text/plain, {NINJS[0]}"
    raise UnsupportedMediaType(f"Send one of {accepted}.", headers={"Accept": accepted})


def _refused(error: ValidationError, body: JsonValue = None) -> Unprocessable:
    first = errors_of(error)[0]
    return Unprocessable.at(pointer_to(first["loc"], body), first["msg"])


_BODY = {
    "content": {
        "application/json": {
            "schema": PageAddress.model_json_schema(),
            "example": {"url": "https://wire.example/harbour-bridge-reopens"},
        },
        "text/html": {"schema": {"type": "string", "description": "a page as it was saved"}},
        "text/plain": {"schema": {"type": "string", "description": "the text dump of a page"}},
        NINJS[0]: {
            "schema": {"type": "object", "description": "ninjs 3.1"},
            "example": {
                "uri": "https://wire.example/4711",
                "standard": {"name": "ninjs", "version": "3.1"},
                "headlines": [{"value": "Bridge reopens"}],
            },
        },
    }
}


@router.post(
    "",
    status_code=201,
    response_model=ImportedArticle | Acknowledgement,
    max_body_size=LARGEST_PAGE,
    openapi_extra={"requestBody": _BODY},
    responses={
        200: {
            "model": ImportedArticle | Acknowledgement,
            "description": "This page was here already: its article, brought up to date.",
        }
    },
)
def import_page(
    request: Request,
    received: Annotated[Received, Depends(receive_page)],
    caller: StaffWriter,
    session: SessionDep,
) -> Response:
    """Import a page. The same page again updates what it made."""
    page, files = received.page, received.files.kept
    try:
        imported = (
            importing.bring_in(session, caller, page, files)
            if isinstance(page, NinjsItem)
            else bring_in(session, caller, page, files=files)
        )
    except ValidationError as error:
        # What a page says is measured where it is written: a list of a thousand entries is the page's fault.
        raise _refused(error) from None
    article = imported.article
    session.flush()
    return acknowledging.answer(
        request,
        caller,
        Acknowledgement(id=article.id, version=article.version, status=article.status),
        lambda: (
            with_report(
                articles.read_one(session, article),
                [*page.dropped, *imported.dropped],
                received.files.unfetched,
            )
            .model_dump_json()
            .encode()
        ),
        status=201 if imported.created else 200,
        headers={"Location": f"/v1/articles/{article.id}"},
    )
