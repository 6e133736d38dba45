"""One page of HTML: made from its template, sent with a policy under which nothing runs and nothing comes
from elsewhere.

There is no script at all, so the policy needs none. What differs from page to page is one style element, the
colours that stand in for pictures until they are there. The policy names its hash, because every copy in
every cache would hold the same nonce.
"""

import base64
import hashlib
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, ClassVar
from urllib.parse import urlsplit

import jinja2
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.datastructures import MutableHeaders

from service import faults
from service.consent.decisions.door import FORM, admitted
from service.consent.notices.lifecycle import NoticeRead
from service.consent.notices.shelf import advertises
from service.errors import ServiceError, Unprocessable
from service.http import routing
from service.http.callers import note_contract
from service.http.conditional import unshared
from service.services import service
from service.settings import Settings
from service.tables import write_time
from service.web.words import direction, words

STYLE = files(__package__).joinpath("site.css").read_bytes()
ICON = files(__package__).joinpath("icon.svg").read_bytes()
STYLE_NAME = f"site-{hashlib.sha256(STYLE).hexdigest()[:12]}.css"
MEDIA_TYPE = "text/html; charset=utf-8"
PRIVATE = {"Cache-Control": "private, no-store", "Vary": "Cookie, Authorization"}


@dataclass(frozen=True, slots=True)
class Around:
    """The surroundings of the content of a page, and what its head names."""

    path: str = "/"
    """The address of the page, for the forms that lead back to it."""
    sections: Sequence[str] = ()
    section: str | None = None
    """The section that the page is of."""
    banner: NoticeRead | None = None
    feeds: Sequence[tuple[str, str]] = ()
    """Addresses, each with its media type."""
    style: str = ""


BARE = Around()


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"direction": direction, "rfc3339": write_time}
    environment.tests |= {"advertising": advertises}
    environment.globals |= {"style_name": STYLE_NAME, "words": words}
    return environment


_TEMPLATES = _environment()


def write(
    template: str, settings: Settings, around: Around = BARE, *, language: str | None = None, **shown: Any
) -> bytes:
    """Return the page that a template makes of what is shown, in words of a language; of the house's by
    default.
    """
    said = words(*filter(None, (language, settings.language)))
    return (
        _TEMPLATES.get_template(template)
        .render(_=said, settings=settings, around=around, **{"description": None, **shown})
        .encode()
    )


def headers(settings: Settings, style: str = "") -> dict[str, str]:
    """Return the headers of every page: it may load from this site alone, and no other site may frame it or
    learn its address.
    """
    hashed = (
        f" 'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'" if style else ""
    )
    parts = urlsplit(settings.media_base)
    pictures = f" {parts.scheme}://{parts.netloc}" if settings.media_base else ""
    policy = (
        f"default-src 'none'; style-src 'self'{hashed}; img-src 'self'{pictures}; form-action 'self';"
        " base-uri 'none'; frame-ancestors 'none'"
    )
    # A form needs its Origin sent: `no-referrer` would make it null.
    return {
        "Content-Security-Policy": policy,
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "X-Content-Type-Options": "nosniff",
    }


def private(
    request: Request, template: str, around: Around = BARE, *, status: int = 200, **shown: Any
) -> Response:
    """Answer with a page for this one reader."""
    settings = service(request, Settings)
    return Response(
        write(template, settings, around, **shown), status, {**headers(settings), **PRIVATE}, MEDIA_TYPE
    )


class PageRoute(APIRoute):
    """The route class of pages: a form comes through the door of consent, and refusals are pages too.

    Unknown query parameters are let be: readers come by links to which others have added theirs.
    """

    leaves: ClassVar[bool] = False

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler."""
        handle = super().get_route_handler()

        async def enter(request: Request) -> Response:
            try:
                routing.refuse_nul(request)
                if "authorization" in request.headers:
                    await note_contract(request)
                is_form = request.method == "POST"
                taken = await admitted(request, FORM, leaves=self.leaves) if is_form else request
                return unshared(request, await handle(taken))
            except RequestValidationError:
                return refusal(request, Unprocessable("The form was not filled in as this page made it."))
            except ServiceError as error:
                return refusal(request, error)
            except faults.DATABASE_FAULTS as fault:
                return refusal(request, faults.refusal(fault))

        return enter


class WayOutRoute(PageRoute):
    """The route class of the forms that withdraw and erase."""

    leaves = True


def refusal(request: Request, error: ServiceError) -> Response:
    """Return a refusal as a page of its own."""
    response = private(request, "refusal.html", status=error.status, error=error)
    MutableHeaders(raw=response.raw_headers).update(error.headers or {})
    return response
