"""Documents of an older rendering are good answers, and are rendered again while the store serves."""

from collections.abc import Iterator
from typing import Any, get_args
from uuid import UUID

import httpx
import orjson
import pytest
from pydantic import BaseModel
from sqlalchemy import text, update
from sqlmodel import col, select

from service.articles.models import ArticleRead
from service.articles.public_lists import FEEDS
from service.consent.notices.lifecycle import NoticeRead
from service.images.models import CaptionRead, ImageRead
from service.published import rendering
from service.published.backlog import Backlog
from service.published.models import Kind, Published
from service.published.rendering import RenderedByNewer
from service.rooms import open_database
from service.settings import Settings
from tests.articles.newsroom import edit, published
from tests.images.pictures import make_article, make_caption, make_image
from tests.patience import wait_until
from tests.serving import EDITOR, Store, running
from tests.sync.following import follow, now_at
from tests.webhooks.keeping import deliveries, webhook
from tests.webhooks.receiver import Receiver

MEMBERS_OF_THE_FIRST_RELEASE = {
    "ArticleRead": """id slug headline summary byline authors dateline section tags language credit_line source
        external_id canonical_url body lead_image_id lead_image status embargoed_until scheduled_for published_at
        first_published_at created_at updated_at version corrections usage_terms copyright_notice edition_note""",
    "ImageRead": """id digest content_type width height size credit_line copyright_notice usage_terms focal_point
        placeholder taken_at source source_url metadata renditions captions version created_at updated_at""",
    "CaptionRead": "id image_id article_id language text alt_text source version created_at updated_at",
    "Rendition": "name href width height content_type",
    "FocalPoint": "x y",
    "Author": "name",
    "Correction": "at kind text",
    "Paragraph": "html",
    "Heading": "html",
    "Quote": "html",
    "ItemList": "items",
    "ResolvedImage": "image_id caption_id image caption",
    "Embed": "url",
    "NoticeRead": """notice_key language texts version status content_hash effective_at reconsent_reasons
        valid_for_consent validity_findings validity_explanations""",
    "NoticeTexts": "body",
    "Purpose": "purpose_key name",
    "Controller": "name",
}
LATER_KINDS = {"Table", "Code", "WithdrawalRead", "WithdrawalReason"}
"""Shapes of blocks that no older document has: what they need may be required."""
INHERIT = {
    "Picture": ("ImageRead", ""),
    "LeadImage": ("ImageRead", "caption"),
    "EffectiveCaption": ("CaptionRead", "scope"),
}


def shapes_in(shape: type[BaseModel], seen: dict[str, type[BaseModel]]) -> dict[str, type[BaseModel]]:
    """The shape, and every shape that its members have."""
    if shape.__name__ not in seen:
        seen[shape.__name__] = shape
        for field in shape.model_fields.values():
            for one in _models(field.annotation):
                shapes_in(one, seen)
    return seen


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def test_a_member_that_was_added_since_the_first_release_has_a_default() -> None:
    known = {name: set(members.split()) for name, members in MEMBERS_OF_THE_FIRST_RELEASE.items()}
    for name, (base, own) in INHERIT.items():
        known[name] = known[base] | {own}
    shapes: dict[str, type[BaseModel]] = {}
    for root in (ArticleRead, ImageRead, CaptionRead, NoticeRead):
        shapes_in(root, shapes)
    for name, shape in shapes.items():
        required = {member for member, field in shape.model_fields.items() if field.is_required()}
        assert name in LATER_KINDS or required <= known.get(name, set()), name


def make_older(store: Store, kind: Kind, id_: str, *without: str, **said: str) -> None:
    """Give a published row the document of a version that did not know some members, and told others."""
    row = (Published.kind == kind, Published.id == UUID(id_))
    with store.database.writing() as session:
        document = orjson.loads(session.exec(select(Published.document).where(*row)).one())
        pictures = [document.get("lead_image"), *map(_image, document.get("body", []))]
        for image in [document] if kind is Kind.IMAGE else pictures:
            for name in without:
                del image[name]
        document |= said
        changed = (
            update(Published)
            .where(*row)
            .values(document=orjson.dumps(document), card=None, negative=None, rendering=0)
        )
        session.execute(changed)


def _image(block: dict[str, Any]) -> Any:
    return block["image"]


@pytest.mark.slow
def test_documents_without_members_of_later_versions_are_answered_everywhere(
    store: Store, editor: httpx.Client, client: httpx.Client
) -> None:
    image = make_image(editor)
    make_caption(editor, image)
    article = make_article(editor, image, lead_image_id=image["id"])
    make_older(
        store, Kind.IMAGE, image["id"], "external_id", "dominant_color", "formats", digest=image["digest"]
    )
    make_older(store, Kind.ARTICLE, article["id"], "dominant_color", "formats")
    files = [file["href"] for file in image["renditions"] if file["name"] != "original"]
    for address in (
        "/",
        f"/read/{article['slug']}",
        f"/v1/articles/{article['id']}",
        *(f"/v1/articles/{article['id']}?{form}" for form in ("body=html", "format=ninjs", "format=jsonld")),
        "/v1/articles",
        "/v1/articles?body=html",
        f"/v1/images/{image['id']}",
        *(f"/feeds/{name}" for name in FEEDS),
        "/sitemaps/news.xml",
        files[0],
    ):
        assert client.get(address, headers={"Cache-Control": "no-cache"}).status_code == 200, address


@pytest.fixture
def two_languages(settings: Settings) -> tuple[Settings, dict[str, str]]:
    """A store whose house speaks English, with an article in French that shows a picture, and one without."""
    with running(settings) as store, store.client(*EDITOR) as editor:
        image = make_image(editor)
        make_caption(editor, image, "The harbour.")
        make_caption(editor, image, "Der Hafen.", language="de")
        shows = make_article(editor, image, language="fr")
        made = {"shows": shows["id"], "plain": published(editor)["id"], "image": image["id"]}
    return settings.model_copy(update={"language": "de"}), made


def render_all(store: Store) -> Backlog:
    """Render what awaits it, as `copydesk render` does."""
    database = open_database(store.settings)
    rendering.begin(database)
    backlog = Backlog(database)
    while works := backlog.next_of_older_rendering():
        for work in works:
            backlog.finish(work)
    database.close()
    return backlog


def test_another_setting_renders_again_and_numbers_only_what_differs(
    two_languages: tuple[Settings, dict[str, str]],
) -> None:
    settings, made = two_languages
    with running(settings) as store, store.client() as client:
        place = now_at(client)
        shown = f"/v1/articles/{made['shows']}"
        assert "The harbour." in client.get(shown).text
        render_all(store)
        wait_until(lambda: client.get(shown).json()["body"][0]["caption"]["text"] == "Der Hafen.")
        entries, _ = follow(client, place)
        assert [entry["id"] for entry in entries] == [made["shows"]]
        assert render_all(store).same == 0
        assert follow(client, place)[0] == entries


@pytest.mark.slow
def test_webhooks_are_not_told_of_documents_that_are_rendered_again(
    two_languages: tuple[Settings, dict[str, str]], partner: Receiver
) -> None:
    # A receiver is sent one message after another: a withdrawal must not wait behind a whole store.
    settings, made = two_languages
    settings = settings.model_copy(update={"outbound_allow_loopback": True})
    with running(settings) as store, store.client("admin") as keeper, webhook(keeper, partner) as hook:
        # The store renders by itself too, and may have been faster.
        render_all(store)
        assert "Der Hafen." in keeper.get(f"/v1/articles/{made['shows']}").text
        assert deliveries(keeper, hook) == []


@pytest.mark.slow
def test_a_serving_store_renders_by_itself_and_says_how_far_it_is(
    two_languages: tuple[Settings, dict[str, str]],
) -> None:
    settings, made = two_languages
    with running(settings) as store, store.client() as client:
        changed = 'copydesk_rendered_again_total{outcome="changed"} 1.0'
        wait_until(lambda: changed in client.get("/metrics").text)
        assert "Der Hafen." in client.get(f"/v1/articles/{made['shows']}").text
        assert "copydesk_rendering_waiting " in client.get("/metrics").text


@pytest.mark.slow
@pytest.mark.parametrize("what", ["article", "caption", "unpublish"])
def test_a_change_that_overtakes_a_batch_stands(
    two_languages: tuple[Settings, dict[str, str]], what: str
) -> None:
    settings, made = two_languages
    with running(settings) as store, store.client(*EDITOR) as editor, store.client() as client:
        database = open_database(settings)
        rendering.begin(database)
        backlog = Backlog(database)
        works = [work for _ in range(20) for work in backlog.next_of_older_rendering()]
        article = editor.get(f"/v1/articles/{made['shows']}").json()
        if what == "article":
            edit(editor, article, headline="Edited meanwhile")
        elif what == "caption":
            captions = editor.get(f"/v1/images/{made['image']}/captions").json()["items"]
            german = next(caption for caption in captions if caption["language"] == "de")
            editor.patch(
                f"/v1/captions/{german['id']}", json={"text": "Edited meanwhile"}, headers={"If-Match": "*"}
            )
        else:
            editor.post(f"/v1/articles/{made['shows']}/unpublish")
        for work in works:
            backlog.finish(work)
        address = f"/v1/articles/{made['shows']}"
        if what == "unpublish":
            wait_until(lambda: client.get(address).status_code == 404)
        else:
            wait_until(lambda: "Edited meanwhile" in client.get(address).text)
        database.close()


def test_a_store_that_a_newer_version_has_rendered_is_refused_until_it_is_rendered_back(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as newer:
        newer.setattr(rendering, "RENDERING", rendering.RENDERING + 1)
        with running(settings) as store, store.client(*EDITOR) as editor:
            published(editor)
    database = open_database(settings)
    with database.reading() as session:
        before = session.execute(text("SELECT id, number, settings FROM published_rendering")).all()
    for starts in (rendering.begin, rendering.require_no_newer):
        with pytest.raises(RenderedByNewer, match="copydesk render --back"):
            starts(database)
    with pytest.raises(AssertionError, match="RenderedByNewer"), running(settings):
        pass
    with database.reading() as session:
        assert session.execute(text("SELECT id, number, settings FROM published_rendering")).all() == before
    rendering.begin(database, go_back=True)
    with pytest.raises(RenderedByNewer):  # Rows of the newer version are there still.
        rendering.require_no_newer(database)
    backlog = Backlog(database)
    while works := backlog.next_of_older_rendering():
        for work in works:
            backlog.finish(work)
    rendering.require_no_newer(database)
    database.close()


def test_a_row_that_an_older_version_writes_awaits_rendering(store: Store, editor: httpx.Client) -> None:
    if store.settings.is_sqlite:
        pytest.skip("SQLite is served by one version at a time")
    article = published(editor)
    upsert = (
        "INSERT INTO published (kind, id, seq, version, changed_at, etag, published_at, updated_at, document)"
        " SELECT kind, id, seq + 1000, version, changed_at, etag, published_at, updated_at, document FROM published"
        " WHERE id = :id ON CONFLICT (kind, id) DO UPDATE SET seq = excluded.seq, document = excluded.document"
    )
    for _ in range(2):  # An older version does not know the column, and may write twice.
        with store.database.engine.begin() as connection:
            connection.execute(text(upsert), {"id": article["id"]})
        with store.database.reading() as session:
            row = select(Published.rendering).where(col(Published.id) == UUID(article["id"]))
            assert session.exec(row).one() < 0
