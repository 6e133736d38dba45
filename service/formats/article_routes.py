"""The addresses of an article's other forms, one for each; `?format=` and `Accept` answer with the same."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from service.articles import one
from service.database import SessionDep
from service.formats.newsarticle import NewsArticle
from service.http.callers import CallerDep
from service.http.operations import Responses
from service.http.routing import Route
from service.published.forms import MEDIA_TYPES, Form

router = APIRouter(prefix="/v1/articles", tags=["articles"], route_class=Route)
_MOVED: Responses = {308: {"description": "An old slug: the article is at its new one."}}
_NINJS: Responses = {
    200: {
        "content": {
            MEDIA_TYPES[Form.NINJS]: {
                "schema": {
                    "type": "object",
                    "description": "an item of ninjs 3.1, as its schema has it",
                    "externalDocs": {"url": "http://www.iptc.org/std/ninjs/ninjs-schema_3.1.json"},
                },
                "example": {
                    "uri": "urn:uuid:01997f3c-6a58-7c11-8f0e-1d5c6a2b9e77",
                    "type": "text",
                    "version": "3",
                    "pubStatus": "usable",
                    "language": "en",
                    "headlines": [{"value": "Harbour bridge reopens after winter repairs"}],
                },
            }
        }
    }
}


class _LinkedData(JSONResponse):
    media_type = MEDIA_TYPES[Form.JSONLD]


@router.get("/{article_id}/ninjs", response_class=Response, responses=_NINJS | _MOVED)
def get_article_as_ninjs(request: Request, key: one.Key, caller: CallerDep, session: SessionDep) -> Response:
    """Read an article as ninjs 3.1 of the IPTC, with its pictures as associations. A withdrawn one is 410,
    `canceled`.
    """
    return one.answer(request, caller, session, key, form=Form.NINJS, below="/ninjs")


@router.get("/{article_id}/jsonld", response_class=_LinkedData, response_model=NewsArticle, responses=_MOVED)
def get_article_as_jsonld(request: Request, key: one.Key, caller: CallerDep, session: SessionDep) -> Response:
    """Read an article as a NewsArticle of schema.org in JSON-LD. What has no value is left out."""
    return one.answer(request, caller, session, key, form=Form.JSONLD, below="/jsonld")
