"""Answer with one article in the form that was requested: the public one, or the working one for editors."""

from typing import Annotated

from fastapi import Path, Request, Response

from service.articles import asked, desk, read
from service.articles.asked import BodyForm
from service.articles.models import ArticleRead
from service.database import Session
from service.http import conditional
from service.http.callers import Caller
from service.published import answers, store
from service.published.forms import MEDIA_TYPES, Form, Forms
from service.published.models import Kind, Reason
from service.scopes import Scope
from service.services import service
from service.settings import Settings

Key = Annotated[str, Path(alias="article_id", description="the article's id, or its slug")]


def answer(
    request: Request,
    caller: Caller,
    session: Session,
    key: str,
    *,
    body: BodyForm = "blocks",
    form: Form = Form.JSON,
    fields: str | None = None,
    below: str = "",
) -> Response:
    """Answer for an article by its id or slug. `below` is what follows the key in the path, such as `/ninjs`.

    An old slug is answered 308, a withdrawn article 410, in a form that has words for it. `body` and `fields`
    choose members of the JSON; other forms are whole.
    """
    settings, forms = service(request, Settings), service(request, Forms)
    if caller.may(Scope.CONTENT_READ):
        return _working(request, session, key, body, form, fields, below)
    row = store.find(session, Kind.ARTICLE, key)
    found = answers.answer_row(row, Kind.ARTICLE, key, request.url.path, settings)
    if form is Form.JSON:
        if found.status == 200 and body != "blocks":
            found = answers.replaced(found, asked.with_body(found.body, body, settings))
        found = answers.narrowed(found, fields, ArticleRead)
    if found.status == 200 and form is not Form.JSON:
        found = answers.replaced(found, forms.write(form, found.body, settings), MEDIA_TYPES[form])
    if row is not None and row.reason == Reason.WITHDRAWN and (tombstone := forms.bury(form, row, settings)):
        found = answers.replaced(found, tombstone, MEDIA_TYPES[form])
    response = answers.respond(request, found)
    if response.status_code == 308 and row is not None:
        response.headers["Location"] = f"/v1/articles/{row.slug}{below}{_query(request)}"
    return response


def _working(
    request: Request,
    session: Session,
    key: str,
    body: BodyForm,
    form: Form,
    fields: str | None,
    below: str,
) -> Response:
    settings, forms = service(request, Settings), service(request, Forms)
    article, moved = desk.find(session, key)
    if moved:
        location = f"/v1/articles/{article.slug}{below}{_query(request)}"
        return Response(status_code=308, headers={"Location": location, **conditional.PRIVATE})
    document = read.read_one(session, article).model_dump_json().encode()
    if form is Form.JSON:
        shaped = asked.only_fields(asked.with_body(document, body, settings), fields)
    else:
        shaped = forms.write(form, document, settings)
    return conditional.answer_bytes(
        request, shaped, article.version, headers={"Content-Type": MEDIA_TYPES[form]}
    )


def _query(request: Request) -> str:
    return f"?{request.url.query}" if request.url.query else ""
